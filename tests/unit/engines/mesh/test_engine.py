"""The engine from files to files: it swaps the person that its plan selects, the same way each time."""

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facecli.core.errors import InvalidInput
from facecli.core.video.engines import PrepareJob, SwapJob
from facecli.core.video.figures import SwapFigures
from facecli.core.video.media import never
from facecli.engines.mesh.arrays import Image as Pixels
from facecli.engines.mesh.engine import MeshEngine
from facecli.engines.mesh.identities import Identity, Selection
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import find_ffmpeg
from tests.support.media.portraits import ASTRONAUT, HOPPER, moving_camera, portrait

pytestmark = pytest.mark.media

FRAMES, WIDTH, HEIGHT = 6, 480, 200
SMALL = (160, 120)


@pytest.fixture(scope="module")
def ffmpeg() -> Path:
    return find_ffmpeg()


@pytest.fixture(scope="module")
def two_people(ffmpeg: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large face on the left, a small one on the right, on every frame."""
    video = tmp_path_factory.mktemp("clips") / "two.mp4"
    large = moving_camera(portrait(HOPPER), (320, HEIGHT), FRAMES)
    small = moving_camera(portrait(ASTRONAUT), SMALL, FRAMES)
    pictures = []
    for left, right in zip(large, small, strict=True):
        picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        picture[:, :320] = left.picture
        picture[: SMALL[1], 320:] = right.picture
        pictures.append(picture.tobytes())
    source = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}", "-r", "25", "-i", "-")
    command = [
        str(ffmpeg),
        "-v",
        "error",
        *source,
        "-pix_fmt",
        "yuv420p",
        "-crf",
        "10",
        "-g",
        "3",
        str(video),
    ]
    subprocess.run(command, input=b"".join(pictures), check=True)
    return video


def frames_of(ffmpeg: Path, video: Path) -> list[Pixels]:
    command = [str(ffmpeg), "-v", "error", "-i", str(video), "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    return list(np.frombuffer(data, np.uint8).reshape(-1, HEIGHT, WIDTH, 3))


def test_the_person_of_a_picture_alone_is_swapped_in_every_segment_and_the_same_way_again(
    two_people: Path, ffmpeg: Path, tmp_path: Path
) -> None:
    media, face = FfmpegMedia(segment_megapixels=1), tmp_path / "blue.png"
    options = {"color": "none", "faces": "like:/uploads/p/her.png"}
    red, green, blue = Image.open(ASTRONAUT).convert("RGB").split()
    Image.merge("RGB", (blue, green, red)).save(face)  # every swap is a large change
    engine, plan = MeshEngine(media), media.plan(two_people)
    assert len(plan.segments) == 2
    prepare = PrepareJob(
        face=face, video=two_people, info=plan.info, options=options, files={"faces": ASTRONAUT}
    )
    engine_plan = engine.prepare(prepare, stopped=never)
    assert [person["left"] > 320 for person in engine_plan["people"]] == [False, True]
    before, after = frames_of(ffmpeg, two_people), list[Pixels]()
    outputs = [tmp_path / "0.mp4", tmp_path / "1.mp4", tmp_path / "again.mp4"]
    figures = list[SwapFigures]()
    for segment, output in zip((*plan.segments, plan.segments[1]), outputs, strict=True):
        job = SwapJob(
            face=face,
            video=two_people,
            segment=segment,
            output=output,
            info=plan.info,
            options=options,
            plan=engine_plan,
        )
        figures.append(engine.swap(job, progress=lambda frames: None, stopped=never))
    first, second = (SwapFigures(swapped=segment.frames, people=2) for segment in plan.segments)
    assert figures == [first, second, second]
    assert outputs[1].read_bytes() == outputs[2].read_bytes()
    after = frames_of(ffmpeg, outputs[0]) + frames_of(ffmpeg, outputs[1])
    assert len(after) == FRAMES
    for old, new in zip(before, after, strict=True):
        change = cv2.blur(np.abs(old.astype(np.float32) - new).max(2), (15, 15))
        assert change[:, 330:].max() > 50
        assert change[:, :310].max() < 30


def test_people_are_chosen_by_area_by_order_or_by_a_picture() -> None:
    embeddings = np.eye(2, 128, dtype=np.float32)
    people = [
        Identity(embedding=embedding, area=2 - at, frame=0, left=0) for at, embedding in enumerate(embeddings)
    ]
    picture, stranger = 0.9 * embeddings[1] + 0.1, np.full(128, 1.0)
    for faces, like, wanted in (
        ("main", [], [True, False]),
        ("index:1", [], [False, True]),
        ("like:/uploads/p/face.png", picture.tolist(), [False, True]),
        ("like:/uploads/p/face.png", stranger.tolist(), [False, False]),
        ("all", [], [True, True]),
    ):
        selection = Selection(faces, people, match=1.2, like=like)
        assert [selection.wants(embedding) for embedding in embeddings] == wanted, faces


def test_a_number_that_nobody_has_is_refused_with_the_number_of_people() -> None:
    people = [Identity(embedding=np.zeros(128, np.float32), area=1, frame=0, left=0)] * 2
    with pytest.raises(InvalidInput, match="faces of engine mesh is index:2, but the video shows 2 people"):
        Selection("index:2", people, match=0.6)
    with pytest.raises(InvalidInput, match="is index:7, but the video shows 1 person"):
        Selection("index:7", people[:1], match=0.6)
    nobody = Selection("index:0", [], match=0.6)  # the option `missing` decides
    assert not nobody.wants(people[0].embedding)
