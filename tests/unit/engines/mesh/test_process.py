"""The process of the engine: it swaps as the code in this process does, and cannot harm who it answers."""

import subprocess
import sys

import pytest

from facecli.core.errors import Cancelled, FacecliError, MediaRefused, NoFace, ProgramKilled
from facecli.core.video.frames import FrameLayout, Picture
from facecli.core.video.media import never
from facecli.engines.mesh.drawing.warped_face import WarpedFace
from facecli.engines.mesh.fading import FADE_FRAMES
from facecli.engines.mesh.identities import Selection
from facecli.engines.mesh.options import MeshOptions
from facecli.engines.mesh.process.client import AHEAD, swap_process
from facecli.engines.mesh.process.messages import MAX_JSON, SLOTS, Answer, encode_json, header
from facecli.engines.mesh.process.setup import Setup, Work
from facecli.engines.mesh.segment_swapper import FRAMES_BEHIND, FrameClock, SegmentSwapper
from facecli.testing import FakeMedia
from tests.support.media.portraits import (
    ASTRONAUT,
    HOPPER,
    moving_camera,
    networks,
    photo,
    portrait,
    to_planes,
)

pytestmark = pytest.mark.media

SMALL = FrameLayout(width=8, height=4)
GREY = Picture(width=2, height=2, pixels=bytes(12))
READY = encode_json(Answer.READY, {"faces": 1})
NONE = header(Answer.NONE)


def setup_of(layout: FrameLayout, picture: Picture, *, rate: float = 25, **options: str) -> Setup:
    return Setup(
        work=Work.SWAP,
        layout=layout,
        picture=(picture.width, picture.height),
        options=options,
        people=(),
        first=0,
        rate=rate,
    )


def test_the_process_swaps_as_one_frame_after_the_other_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "facecli.engines.mesh.segment_swapper.FRAMES_BEHIND", 0
    )  # draws each before it finds the next
    layout = FrameLayout(width=320, height=180)
    frames = [to_planes(shot.picture, layout) for shot in moving_camera(portrait(HOPPER), (320, 180), 8)]
    pixels = photo(ASTRONAUT)
    picture = Picture(width=pixels.shape[1], height=pixels.shape[0], pixels=pixels[..., ::-1].tobytes())
    here = SegmentSwapper(
        networks(),
        WarpedFace(portrait(ASTRONAUT)),
        selection=Selection("all", [], match=0.6),
        options=MeshOptions(faces="all"),
        layout=layout,
        clock=FrameClock(first=0, rate=25),
    )
    expected = [bytes(done) for at, frame in enumerate(frames) for done in here.push(frame[:], own=at > 1)]
    expected += [bytes(done) for done in here.finish()]
    with swap_process(FakeMedia(), setup_of(layout, picture, faces="all"), picture, stopped=never) as process:
        there = [bytes(done) for at, frame in enumerate(frames) for done in process.push(frame, own=at > 1)]
        there += [bytes(done) for done in process.finish()]
    assert there == expected
    assert process.face == {"faces": 1, "turned": False}
    assert process.result == {"swapped": 6, "turned": 0, "without": 0}


def test_a_picture_without_a_face_is_refused_with_a_hint() -> None:
    grey = Picture(width=64, height=64, pixels=bytes([128]) * (3 * 64 * 64))
    with (
        pytest.raises(NoFace),
        swap_process(FakeMedia(), setup_of(SMALL, grey), grey, stopped=never),
    ):
        pass


def answering(*answers: bytes, then: str = "") -> list[str]:
    """A program that takes the setup, sends these bytes for it and for each frame, and runs a statement."""
    code = f"""
import os, signal, sys
def take():
    head = sys.stdin.buffer.read(5)
    return head and sys.stdin.buffer.read(int.from_bytes(head[1:], "little"))
take()
for answer in {list(answers)!r}:
    take()
    os.write(1, answer)
{then}
while take() is not None: pass
"""
    return [sys.executable, "-I", "-S", "-c", code]


def swap(command: list[str], *, media: FakeMedia | None = None, frames: int = 4) -> int:
    """Swap so many frames with another program as the process; return the frames that came back."""
    setup = setup_of(SMALL, GREY)
    with swap_process(media or FakeMedia(), setup, GREY, stopped=never, command=command) as process:
        done = [planes for _ in range(frames) for planes in process.push(bytearray(48), own=True)]
        return len(done + list(process.finish()))


FRAME = header(Answer.FRAME, 48) + bytes(48)
RESULT = encode_json(Answer.RESULT, {})


def test_a_process_that_keeps_to_the_messages_is_believed() -> None:
    assert swap(answering(READY, NONE, FRAME, FRAME, FRAME, FRAME + RESULT)) == 4


def test_a_process_that_holds_back_too_many_frames_fails_the_work() -> None:
    with pytest.raises(FacecliError, match="holds back too many frames"):
        swap(answering(READY, *[NONE] * SLOTS), frames=SLOTS + 1)


def test_no_frame_is_written_over_while_the_process_uses_it() -> None:
    assert SLOTS > AHEAD + FADE_FRAMES + FRAMES_BEHIND + 1  # on their way, held back, and the one to return


GARBAGE = {
    "bytes": (b"Hello, world", "message 72 came out of turn"),
    "a frame before it is ready": (FRAME, "out of turn"),
    "half a header": (b"\x81\x02", "stopped in the middle"),
    "an endless answer": (header(Answer.READY, 2**32 - 1), "too long or too short"),
    "too much JSON": (header(Answer.READY, MAX_JSON + 1), "too long or too short"),
    "no JSON": (header(Answer.READY, 2) + b"{x", "no JSON"),
    "another JSON": (header(Answer.READY, 2) + b"[]", "no JSON object"),
    "deep JSON": (header(Answer.READY, 100_000) + b"[" * 100_000, "no JSON"),
}


@pytest.mark.parametrize("case", GARBAGE)
def test_a_process_that_answers_garbage_fails_the_work_with_a_reason(case: str) -> None:
    data, reason = GARBAGE[case]
    with pytest.raises(FacecliError, match=f"engine mesh sent an invalid answer.*{reason}"):
        swap(answering(data, then="os._exit(0)"))


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((READY, header(Answer.FRAME, 47) + bytes(47)), "too long or too short"),
        ((READY, header(Answer.FRAME, 49) + bytes(49)), "too long or too short"),
        ((READY, header(Answer.NONE, 1) + b"x"), "too long or too short"),
        ((READY, RESULT), "out of turn"),
        ((READY, FRAME, FRAME, FRAME, FRAME, READY), "out of turn"),
    ],
)
def test_a_wrong_answer_to_a_frame_fails_the_work(answers: tuple[bytes, ...], reason: str) -> None:
    with pytest.raises(FacecliError, match=reason):
        swap(answering(*answers))


@pytest.mark.parametrize(
    ("answers", "then", "kind", "reason"),
    [
        ((), "os._exit(3)", FacecliError, "ended with exit code 3"),
        ((READY,), "os.kill(os.getpid(), signal.SIGSEGV)", FacecliError, "ended with SIGSEGV"),
        ((READY, NONE), "os.kill(os.getpid(), signal.SIGKILL)", ProgramKilled, "killed from outside"),
        ((READY,), "raise ValueError('odd\\x1b[31m')", FacecliError, r"exit code 1 \(.*ValueError: odd\\x1b"),
    ],
)
def test_a_process_that_ends_fails_the_work_with_a_reason(
    answers: tuple[bytes, ...], then: str, kind: type[Exception], reason: str
) -> None:
    with pytest.raises(kind, match=reason):
        swap(answering(*answers, then=then))


def test_a_refusal_of_the_process_is_printable_and_short() -> None:
    refused = encode_json(Answer.REFUSED, {"message": "no\x1b[31m\n" + "x" * 1000})
    with pytest.raises(MediaRefused, match=r"^no\\x1b") as raised:
        swap(answering(READY, NONE, refused, then="os._exit(0)"))
    assert len(raised.value.message) == 300


def test_a_process_that_hangs_is_ended_with_a_reason() -> None:
    with pytest.raises(FacecliError, match=r"the process of engine mesh did not respond for 0\.5 s"):
        swap(answering(READY, then="signal.pause()"), media=FakeMedia(program_idle_seconds=0.5))


def test_a_process_that_reads_nothing_is_ended_with_a_reason() -> None:
    hangs = [sys.executable, "-I", "-S", "-c", "import signal; signal.pause()"]
    large = Picture(width=2048, height=2048, pixels=bytes(3 * 2048 * 2048))
    media = FakeMedia(program_idle_seconds=0.5)
    with (
        pytest.raises(FacecliError, match="did not respond"),
        swap_process(media, setup_of(SMALL, large), large, stopped=never, command=hangs),
    ):
        pass


def test_cancel_ends_the_process() -> None:
    calls = iter(range(10**9))
    with (
        pytest.raises(Cancelled),
        swap_process(
            FakeMedia(),
            setup_of(SMALL, GREY),
            GREY,
            stopped=lambda: next(calls) > 2,
            command=answering(then="signal.pause()"),
        ),
    ):
        pass


def test_the_engine_itself_loads_neither_networks_nor_arrays() -> None:
    code = "import sys, facecli.engines.mesh.engine; sys.exit(bool({'cv2', 'numpy'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
