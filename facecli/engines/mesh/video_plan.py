"""PeopleFinder: the people of a video, by their faces in sampled frames."""

from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from facecli.core.video.frames import FrameLayout, Planes
from facecli.engines.mesh.detection import find_faces, locate
from facecli.engines.mesh.identities import Identity, Sighting, group
from facecli.engines.mesh.networks import Square
from facecli.engines.mesh.patch import Region
from facecli.engines.mesh.planes import ColorConversion, Frame
from facecli.engines.mesh.segment_swapper import Networks

THREADS = 2
WAITING = 4  # frames that are kept at most, with those in work


class PeopleFinder:
    """Takes sampled frames in order; `tiles` as for `find_faces`."""

    def __init__(self, networks: Networks, layout: FrameLayout, *, tiles: int) -> None:
        self._layout, self._tiles = layout, tiles
        self._conversion = ColorConversion(layout)
        self._networks: SimpleQueue[Networks] = SimpleQueue()  # of idle threads
        for own in (networks, *(Networks.load() for _ in range(THREADS - 1))):
            self._networks.put(own)
        self._threads = ThreadPoolExecutor(THREADS, "find")
        self._looks: list[Future[list[Sighting]]] = []

    def look(self, data: Planes) -> None:
        """Note the faces of the next frame."""
        if len(self._looks) >= WAITING:
            self._looks[-WAITING].result()
        self._looks.append(self._threads.submit(self._find, len(self._looks), data))

    def people(self, *, match: float) -> list[Identity]:
        sightings = [sighting for look in self._looks for sighting in look.result()]
        self._threads.shutdown()
        return group(sightings, match=match)

    def _find(self, number: int, data: Planes) -> list[Sighting]:
        networks = self._networks.get()
        try:
            frame = Frame(data, self._layout, self._conversion)
            found = (
                self._sighting(networks, frame, number, square)
                for square in find_faces(frame, networks.detector, tiles=self._tiles)
            )
            return [sighting for sighting in found if sighting]
        finally:
            self._networks.put(networks)

    @staticmethod
    def _sighting(networks: Networks, frame: Frame, number: int, square: Square) -> Sighting | None:
        points = locate(frame, networks.mesh, square, looks=3)
        region = Region.around(points, frame.size) if points is not None else None
        if points is None or region is None:
            return None
        found = Square.of_mesh(points)
        embedding = networks.recognizer.embed(frame.region(region), region.relative(points))
        left = float(found.center[0] - found.side / 2)
        return Sighting(frame=number, left=left, area=found.side**2, embedding=embedding)
