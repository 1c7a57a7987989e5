"""Detection of faces in frames, also small ones, and the location of their landmarks."""

from collections.abc import Iterator

import numpy as np

from facecli.engines.mesh.arrays import Image, Points
from facecli.engines.mesh.landmarks import eye_distance
from facecli.engines.mesh.networks import (
    DETECTION_SIDE,
    MESH_SIDE,
    Detection,
    FaceDetector,
    FaceMesh,
    Square,
    merged,
)
from facecli.engines.mesh.patch import LEAST_SIDE
from facecli.engines.mesh.planes import Frame, Upright

LEAST_SCORE = 0.5  # of the mesh, for a face
_SHORT_SIDES = {1: DETECTION_SIDE, 2: 2 * DETECTION_SIDE}  # of the frame, for tiles of a whole and half of it
_MAX_TILES = 32  # along a side; in a frame that is longer than 24 times its other side, some of it is missed
_OVERLAP = 1.3  # tiles to cover a side that one tile would just fill


def find_faces(frame: Frame, detector: FaceDetector, *, tiles: int, turn: int | None = None) -> list[Square]:
    """The faces of a frame, the best first.

    `tiles` 0 looks at the frame as a whole, and finds faces of 100 pixels in 720 lines; 1 also at three
    squares of its height, and finds 50; 2 also at squares of half its height, and finds 24. With a `turn`,
    it looks at one of these views alone, each in its turn.
    """
    picture, scale = frame.thumbnail(_SHORT_SIDES.get(tiles, DETECTION_SIDE))
    views = [(0, 0, picture), *(view for rows in range(1, tiles + 1) for view in _tiles(picture, rows))]
    if turn is not None:
        views = [views[turn % len(views)]]
    found = [_moved(detection, left, top) for left, top, view in views for detection in detector.detect(view)]
    return [_scaled(detection.square, 1 / scale) for detection in merged(found)]


def locate(frame: Frame, mesh: FaceMesh, square: Square, *, looks: int = 1) -> Points | None:
    """The landmarks of the face in a square, after so many looks, each in the square of the one before.

    None if there is no face.
    """
    points = None
    for _ in range(looks):
        shown = look(frame, square)
        points = located(mesh, shown, square) if shown else None
        if points is None:
            return None
        square = Square.of_mesh(points)
    return points


def look(frame: Frame, square: Square) -> Upright | None:
    """A square of the frame; None if too little of it is in the frame."""
    reach = square.side / 2 * (abs(np.cos(square.angle)) + abs(np.sin(square.angle)))
    shown = np.minimum(square.center + reach, frame.size) - np.maximum(square.center - reach, 0)
    return frame.upright(square.transform(MESH_SIDE), MESH_SIDE) if shown.min() >= LEAST_SIDE else None


def located(mesh: FaceMesh, shown: Upright, square: Square) -> Points | None:
    """The landmarks in a square that `look` returned; None if it shows no face."""
    points, score = mesh.locate_in(shown.pixels, square)
    if score < LEAST_SCORE or not np.isfinite(points).all() or eye_distance(points) < 1:
        return None
    return points


def same_place(first: Square, second: Square) -> bool:
    """Whether two squares are those of one face."""
    apart = float(np.linalg.norm(first.center - second.center))
    return apart < 0.4 * max(first.side, second.side) / 1.5


def _tiles(picture: Image, rows: int) -> Iterator[tuple[int, int, Image]]:
    height, width = picture.shape[:2]
    side = min(height, width) // rows
    if side < LEAST_SIDE:
        return
    across, down = (
        1 if length == side else min(_MAX_TILES, int(np.ceil(length / side * _OVERLAP)))
        for length in (width, height)
    )
    for top in np.linspace(0, height - side, down).astype(int).tolist():
        for left in np.linspace(0, width - side, across).astype(int).tolist():
            yield left, top, np.ascontiguousarray(picture[top : top + side, left : left + side])


def _moved(detection: Detection, left: int, top: int) -> Detection:
    offset = np.array([left, top])
    box = detection.box + np.array([left, top, 0, 0])
    return Detection(box=box, points=detection.points + offset, score=detection.score)


def _scaled(square: Square, scale: float) -> Square:
    return Square(center=square.center * scale, side=square.side * scale, angle=square.angle)
