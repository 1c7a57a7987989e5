"""PeopleFinder: the people of a video, by their faces in sampled frames."""

from facecli.core.video.frames import FrameLayout
from facecli.engines.mesh.detection import find_faces, locate
from facecli.engines.mesh.identities import Identity, Sighting, group
from facecli.engines.mesh.networks import Square
from facecli.engines.mesh.patch import Region
from facecli.engines.mesh.planes import ColorConversion, Frame
from facecli.engines.mesh.segment_swapper import Networks


class PeopleFinder:
    """Takes sampled frames in order; `tiles` as for `find_faces`."""

    def __init__(self, networks: Networks, layout: FrameLayout, *, tiles: int) -> None:
        self._networks, self._layout, self._tiles = networks, layout, tiles
        self._conversion = ColorConversion(layout)
        self._sightings: list[Sighting] = []
        self._looks = 0

    def look(self, data: bytearray) -> None:
        """Note the faces of the next frame."""
        frame = Frame(data, self._layout, self._conversion)
        for square in find_faces(frame, self._networks.detector, tiles=self._tiles):
            points = locate(frame, self._networks.mesh, square, looks=3)
            region = Region.around(points, frame.size) if points is not None else None
            if points is None or region is None:
                continue
            found = Square.of_mesh(points)
            embedding = self._networks.recognizer.embed(frame.region(region), region.relative(points))
            left = float(found.center[0] - found.side / 2)
            self._sightings.append(
                Sighting(frame=self._looks, left=left, area=found.side**2, embedding=embedding)
            )
        self._looks += 1

    def people(self, *, match: float) -> list[Identity]:
        return group(self._sightings, match=match)
