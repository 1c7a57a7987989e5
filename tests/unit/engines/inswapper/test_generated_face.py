"""Faces drawn by a user's networks come back to the place, and in the colours, where they were taken."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from facecli.core.video.frames import FrameLayout
from facecli.engines.inswapper.generated_face import GeneratedFace, aligned, five_points, tensor
from facecli.engines.inswapper.weights import OwnWeights
from facecli.engines.mesh.arrays import Image, blurred
from facecli.engines.mesh.drawing.warped_face import WarpedFace
from facecli.engines.mesh.identities import Selection
from facecli.engines.mesh.options import Color, Eyes, MeshOptions, Mouth
from facecli.engines.mesh.patch import DrawnFace, FaceBlender, Patch, TargetFace
from facecli.engines.mesh.segment_swapper import FrameClock, SegmentSwapper
from tests.support.media import own_weights
from tests.support.media.portraits import ASTRONAUT, HOPPER, moving_camera, networks, portrait, to_planes

pytestmark = pytest.mark.media

OPTIONS = MeshOptions(color=Color.NONE, eyes=Eyes.SOURCE, mouth=Mouth.SOURCE)


def generated(folder: Path, **swapper: object) -> GeneratedFace:
    weights = OwnWeights(
        swapper=str(own_weights.swapper(folder / "swapper.onnx", **swapper)),  # type: ignore[arg-type]
        recognizer=str(own_weights.recognizer(folder / "recognizer.onnx")),
    )
    return GeneratedFace.load(weights, portrait(ASTRONAUT))


def targets() -> list[TargetFace]:
    return [
        TargetFace(pixels=portrait(path).picture, points=portrait(path).points)
        for path in (HOPPER, ASTRONAUT)
    ]


def patches(face: GeneratedFace) -> list[tuple[Image, Patch]]:
    drawn = face.draw(targets())
    return [
        (on.pixels, FaceBlender(OPTIONS).patch(on, new)) for on, new in zip(targets(), drawn, strict=True)
    ]


def smooth(picture: Image) -> npt.NDArray[np.float32]:
    """Without the detail that a face of 128 pixels cannot hold."""
    return np.asarray(blurred(picture.astype(np.float32), 3.0))


def test_a_network_that_changes_nothing_changes_nothing_on_the_face(tmp_path: Path) -> None:
    for target, patch in patches(generated(tmp_path)):
        inside = patch.alpha > 0.5
        assert inside.mean() > 0.02
        assert np.abs(smooth(patch.pixels) - smooth(target))[inside].mean() < 3
        assert patch.alpha[0].max() == 0


def test_red_is_red_for_the_network_and_on_the_face(tmp_path: Path) -> None:
    for target, patch in patches(generated(tmp_path, gains=(1, 0, 0))):
        inside = patch.alpha > 0.5
        assert patch.pixels[inside][:, :2].max() == 0
        assert np.abs(smooth(patch.pixels) - smooth(target))[inside][:, 2].mean() < 3


def test_faces_of_one_frame_are_drawn_in_one_batch_or_one_by_one_alike(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    together, alone = generated(tmp_path, batch="n"), generated(tmp_path / "one")
    for (_, first), (_, second) in zip(patches(together), patches(alone), strict=True):
        assert np.array_equal(first.pixels, second.pixels)
    assert together.draw([]) == ()


def test_eyes_nose_and_mouth_lie_where_arcface_has_them() -> None:
    face = portrait(HOPPER)
    for side, shift in ((112, 0), (128, 8)):
        crop, matrix = aligned(face.picture, face.points, side)
        found = five_points(face.points) @ matrix[:, :2].T + matrix[:, 2]
        expected = [(38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2)]
        assert np.abs(found - [(x + shift, y) for x, y in expected]).max() < 4
        assert crop.shape == (side, side, 3)
        assert (tensor(crop, low=-1).min(), tensor(crop, low=0).max()) == pytest.approx((-1, 1), abs=0.2)


def test_frames_around_a_segment_cost_no_drawing_where_no_colour_is_averaged() -> None:
    layout = FrameLayout(width=160, height=120)
    shots = [to_planes(shot.picture, layout) for shot in moving_camera(portrait(HOPPER), (160, 120), 4)]

    def drawn(color: Color) -> int:
        """The number of faces drawn for two frames, with two before them."""
        source = CountingSource(portrait(ASTRONAUT))
        swapper = SegmentSwapper(
            networks(),
            source,
            selection=Selection("all", [], match=0.6),
            options=MeshOptions(color=color),
            layout=layout,
            clock=FrameClock(first=0, rate=25),
        )
        for number, planes in enumerate(shots):
            list(swapper.push(planes[:], own=number > 1))
        list(swapper.finish())
        assert swapper.figures.swapped == 2
        return source.drawn

    assert (drawn(Color.NONE), drawn(Color.LAB)) == (2, 4)


class CountingSource(WarpedFace):
    drawn = 0

    def draw(self, targets: Sequence[TargetFace]) -> Sequence[DrawnFace]:
        self.drawn += len(targets)
        return super().draw(targets)
