"""Figures of a real swap, on clips with a known movement: likeness, pose, seam, flicker, untouched pixels."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from facecli.core.video.frames import FrameLayout
from facecli.core.video.plan import FRAMES_BEFORE
from facecli.engines.mesh.arrays import Image
from facecli.engines.mesh.figures import Figures
from facecli.engines.mesh.landmarks import eye_distance
from facecli.engines.mesh.networks import distance
from facecli.engines.mesh.options import Eyes, MeshOptions, Mouth
from facecli.engines.mesh.patch import Region
from facecli.engines.mesh.planes import ColorConversion, Frame
from facecli.engines.mesh.tracking import FaceTracker
from tests.support.media.portraits import (
    ASTRONAUT,
    HOPPER,
    RATE,
    PhotoSwapper,
    networks,
    portrait,
    to_picture,
    to_planes,
    turned_head,
)
from tests.support.media.real_swaps import (
    FRAMES,
    PAIRS,
    SAME_PERSON,
    SIZES,
    STEP,
    Result,
    landmarks,
    swapped,
    swapper_of,
    true_points,
)

pytestmark = pytest.mark.media

cases = pytest.mark.parametrize(("pair", "size"), list(zip(PAIRS, ("720", "360"), strict=True)))


@cases
def test_result_resembles_the_source_and_not_the_target(pair: str, size: str) -> None:
    result, recognizer = swapped(pair, size), networks().recognizer
    source = portrait(result.source)
    wanted = recognizer.embed(source.picture, source.points)
    to_source, to_target, unswapped = [], [], []
    for number in range(0, FRAMES, STEP):
        old = recognizer.embed(result.before[number], true_points(result, number))
        new = recognizer.embed(
            result.after[number], landmarks(result.after[number], true_points(result, number))
        )
        to_source.append(distance(new, wanted))
        to_target.append(distance(new, old))
        unswapped.append(distance(old, wanted))
    assert min(unswapped) > SAME_PERSON  # the negative control: without a swap this test fails
    assert np.mean(to_source) <= 0.50
    assert max(to_source) <= 0.55
    assert np.mean(to_target) >= 0.52
    assert np.mean(to_target) - np.mean(to_source) >= 0.08


@cases
def test_pose_and_expression_of_the_target_are_kept(pair: str, size: str) -> None:
    result = swapped(pair, size)
    errors = []
    for number in range(0, FRAMES, STEP):
        near = true_points(result, number)
        old, new = (landmarks(pictures[number], near) for pictures in (result.before, result.after))
        errors.append(np.linalg.norm(new[:, :2] - old[:, :2], axis=1).mean() / eye_distance(near))
    assert np.mean(errors) <= 0.02
    assert max(errors) <= 0.03


@cases
def test_all_frames_are_swapped_and_counted(pair: str, size: str) -> None:
    assert swapped(pair, size).figures == Figures(swapped=FRAMES, turned=0, without=0)


@cases
def test_pixels_outside_the_face_keep_their_bits(pair: str, size: str) -> None:
    result = swapped(pair, size)
    for number in range(0, FRAMES, STEP):
        region = Region.around(true_points(result, number), SIZES[size])
        assert region is not None
        outside = np.ones(result.before[number].shape[:2], bool)
        outside[region.top : region.bottom, region.left : region.right] = False
        assert np.array_equal(result.before[number][outside], result.after[number][outside])


@cases
def test_no_seam_is_seen_at_the_edge(pair: str, size: str) -> None:
    result = swapped(pair, size)
    ratios = []
    for number in range(0, FRAMES, STEP):
        before, after = result.before[number], result.after[number]
        changed = (np.abs(before.astype(int) - after).max(2) > 0).astype(np.uint8)
        ring = cv2.dilate(changed, np.ones((5, 5), np.uint8)) - cv2.erode(changed, np.ones((5, 5), np.uint8))
        ratios.append(gradient(after)[ring > 0].mean() / gradient(before)[ring > 0].mean())
    assert min(ratios) >= 0.8
    assert max(ratios) <= 1.15


@cases
def test_result_flickers_hardly_more_than_the_video_or_with_exact_landmarks(pair: str, size: str) -> None:
    result = swapped(pair, size)
    swapper, exact = PhotoSwapper(portrait(result.source), MeshOptions()), []
    for number, picture in enumerate(result.before):
        points = true_points(result, number)
        region = Region.around(points, SIZES[size])
        assert region is not None
        rows, columns = slice(region.top, region.bottom), slice(region.left, region.right)
        with_face = picture.copy()
        patch = swapper.patch(np.ascontiguousarray(picture[rows, columns]), region.relative(points))
        with_face[rows, columns] = patch.on(picture[rows, columns])
        exact.append(with_face)
    unavoidable = max(flicker(result, exact), flicker(result, result.before))
    assert flicker(result, result.after) <= 1.25 * unavoidable


@cases
def test_tracked_landmarks_neither_tremble_nor_lag(pair: str, size: str) -> None:
    result = swapped(pair, size)
    layout = FrameLayout(width=SIZES[size][0], height=SIZES[size][1])
    conversion = ColorConversion(layout)
    tracker = FaceTracker(networks().detector, networks().mesh, rate=RATE, wanted=lambda frame, points: True)
    found = []
    for number, picture in enumerate(result.before):
        (face,) = tracker.track(Frame(to_planes(picture, layout), layout, conversion), number).faces
        back = cv2.invertAffineTransform(result.matrices[number])
        found.append(face.points[:, :2] @ back[:, :2].T + back[:, 2])
    still, unit = np.stack(found), eye_distance(portrait(result.target).points)
    assert np.linalg.norm(np.diff(still, axis=0), axis=2).mean() / unit <= 0.0015
    assert np.linalg.norm(still - np.median(still, axis=0), axis=2).mean() / unit <= 0.006


def test_a_segment_that_begins_midway_continues_the_face_of_the_one_before() -> None:
    result, layout = swapped("hopper on astronaut", "360"), FrameLayout(width=640, height=360)
    start = FRAMES_BEFORE + 1
    region = Region.around(true_points(result, start), SIZES["360"])
    assert region is not None
    rows, columns = slice(region.top, region.bottom), slice(region.left, region.right)

    def apart(first: int) -> float:
        """Mean difference of the frame at `start` if the work begins at `first`."""
        swapper = swapper_of(result.source, layout, first=first)
        frames = [to_planes(picture, layout) for picture in result.before[first:]]
        done = [
            planes for at, data in enumerate(frames) for planes in swapper.push(data, own=at >= start - first)
        ]
        done += swapper.finish()
        difference = to_picture(done[0], layout).astype(int) - result.after[start]
        return float(np.abs(difference[rows, columns]).mean())

    assert apart(first=start - FRAMES_BEFORE) <= 0.5
    assert apart(first=start) > 1  # the control: the frames before the segment matter


def test_ten_bit_frames_are_swapped_alike() -> None:
    eight = swapped("hopper on astronaut", "360").after[:6]
    ten = swapped("hopper on astronaut", "360", bits=10, frames=10)
    assert ten.figures == Figures(swapped=10, turned=0, without=0)
    pairs = zip(eight, ten.after[:6], strict=True)  # the last ones fade out
    assert np.mean([np.abs(a.astype(int) - b).mean() for a, b in pairs]) < 1


def test_a_face_on_itself_is_the_same_face() -> None:
    face, recognizer = portrait(ASTRONAUT), networks().recognizer
    options = MeshOptions(eyes=Eyes.SOURCE, mouth=Mouth.SOURCE)
    patch = PhotoSwapper(face, options).patch(face.picture, face.points)
    result = patch.on(face.picture)
    inside = patch.alpha > 0.5
    error = ((result.astype(float) - face.picture) ** 2)[inside].mean()
    assert 10 * np.log10(255**2 / error) >= 45
    old, new = (recognizer.embed(picture, face.points) for picture in (face.picture, result))
    assert distance(old, new) <= 0.05


def test_a_head_turned_by_25_degrees_resembles_the_source() -> None:
    source, recognizer = portrait(ASTRONAUT), networks().recognizer
    picture, near = turned_head(portrait(HOPPER), 25)
    points = landmarks(picture, landmarks(picture, near))
    result = PhotoSwapper(source, MeshOptions()).patch(picture, points).on(picture)
    new = recognizer.embed(result, landmarks(result, points))
    to_source = distance(new, recognizer.embed(source.picture, source.points))
    assert to_source <= 0.50
    assert to_source < distance(new, recognizer.embed(picture, points))


def test_a_grey_film_stays_grey() -> None:
    target = portrait(HOPPER)
    grey = cv2.cvtColor(cv2.cvtColor(target.picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    patch = PhotoSwapper(portrait(ASTRONAUT), MeshOptions()).patch(np.asarray(grey, np.uint8), target.points)
    colors = cv2.cvtColor(patch.on(np.asarray(grey, np.uint8)), cv2.COLOR_BGR2LAB)[..., 1:].astype(int) - 128
    assert np.abs(colors[patch.alpha > 0.5]).mean() <= 2


def gradient(picture: Image) -> npt.NDArray[np.float32]:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return np.asarray(cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)))


def flicker(result: Result, pictures: list[Image]) -> float:
    """Mean change from frame to frame inside the face, with the known movement undone."""
    points = portrait(result.target).points
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    scale = 256 / float((high - low).max())
    fit = np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale], [0, 0, 1]])
    still = []
    for picture, matrix in zip(pictures, result.matrices, strict=True):
        back = fit[:2] @ np.vstack([cv2.invertAffineTransform(matrix), [0, 0, 1]])
        face = cv2.warpAffine(picture, back, (256, 256), flags=cv2.INTER_AREA)
        still.append(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY).astype(np.float32)[40:216, 60:196])
    return float(np.abs(np.diff(np.stack(still), axis=0)).mean())
