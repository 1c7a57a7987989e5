"""PeopleFinder: the people of a video, by their faces in sampled frames.

Theory of operation: faces are found in one thread, and looked at in another, so that two cores work with one
set of networks.
"""

from concurrent.futures import Future, ThreadPoolExecutor

from facecli.core.video.frames import FrameLayout, Planes
from facecli.engines.mesh.detection import find_faces, locate
from facecli.engines.mesh.identities import Identity, Sighting, group
from facecli.engines.mesh.networks import Square
from facecli.engines.mesh.patch import Region
from facecli.engines.mesh.planes import ColorConversion, Frame
from facecli.engines.mesh.segment_swapper import Networks

WAITING = 4  # frames that are kept at most, with those in work


class PeopleFinder:
    """Takes sampled frames in order; `tiles` as for `find_faces`."""

    def __init__(self, networks: Networks, layout: FrameLayout, *, tiles: int) -> None:
        self._networks, self._layout, self._tiles = networks, layout, tiles
        self._conversion = ColorConversion(layout)
        self._finder = ThreadPoolExecutor(1, "find")
        self._viewer = ThreadPoolExecutor(1, "look")
        self._looks: list[Future[list[Sighting]]] = []

    def look(self, data: Planes) -> None:
        """Note the faces of the next frame."""
        if len(self._looks) >= WAITING:
            self._looks[-WAITING].result()
        frame = Frame(data, self._layout, self._conversion)
        found = self._finder.submit(find_faces, frame, self._networks.detector, tiles=self._tiles)
        self._looks.append(self._viewer.submit(self._sightings, len(self._looks), frame, found))

    def people(self, *, match: float) -> list[Identity]:
        sightings = [sighting for look in self._looks for sighting in look.result()]
        self._finder.shutdown()
        self._viewer.shutdown()
        return group(sightings, match=match)

    def _sightings(self, number: int, frame: Frame, found: Future[list[Square]]) -> list[Sighting]:
        seen = (self._sighting(number, frame, square) for square in found.result())
        return [sighting for sighting in seen if sighting]

    def _sighting(self, number: int, frame: Frame, square: Square) -> Sighting | None:
        networks = self._networks
        points = locate(frame, networks.mesh, square, looks=3)
        region = Region.around(points, frame.size) if points is not None else None
        if points is None or region is None:
            return None
        found = Square.of_mesh(points)
        embedding = networks.recognizer.embed(frame.region(region), region.relative(points))
        left = float(found.center[0] - found.side / 2)
        return Sighting(frame=number, left=left, area=found.side**2, embedding=embedding)
