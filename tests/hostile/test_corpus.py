"""The corpus of hostile files, each used in a task: refused with a reason, or the result is correct.

None reads another file, calls an address, hangs or exhausts the memory. `TEST_ENGINE=mesh` tests that engine.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from facecli.core.errors import FacecliError, MediaRefused, NoFace
from facecli.media.ffmpeg import FfmpegMedia
from facecli.wire.errors import from_rpc
from facecli.wire.generated import file_service_pb2, task_service_pb2, video_service_pb2
from tests.hostile.conftest import ENGINE
from tests.hostile.materials import HostileFile, Materials
from tests.hostile.memory import PeakMemory
from tests.hostile.pictures import pictures
from tests.hostile.playlists import playlists
from tests.hostile.references import references
from tests.hostile.tripwires import Tripwires
from tests.hostile.videos import videos
from tests.unit.rpc.conftest import Stubs

MAX_MEMORY_BYTES = 768 * 1024**2  # of ffmpeg or the picture decoder; 36 million pixels take 500
OPTIONS = {"missing": "keep"} if ENGINE == "mesh" else {}  # most of the videos show no face
TIMEOUT_SECONDS = 240  # after which a task is considered hung

VIDEOS = [*playlists(), *references(), *videos()]
PICTURES = list(pictures())


@pytest.fixture(scope="module")
def face(stubs: Stubs, materials: Materials) -> str:
    return stubs.stored(materials.face, file_type="image", name="face.png")


@pytest.fixture(scope="module")
def clip(stubs: Stubs, materials: Materials) -> str:
    return stubs.stored(materials.clip)


@pytest.fixture
def peak_memory() -> Iterator[PeakMemory]:
    peak = PeakMemory(os.getpid())
    with peak.sampled():
        yield peak


@pytest.mark.parametrize("hostile", VIDEOS, ids=lambda hostile: hostile.name)
def test_a_hostile_video_is_refused_or_swapped_correctly(
    stubs: Stubs,
    materials: Materials,
    tripwires: Tripwires,
    face: str,
    media: FfmpegMedia,
    tmp_path: Path,
    peak_memory: PeakMemory,
    hostile: HostileFile,
) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(hostile.make(materials))
    url = stubs.stored(path.read_bytes(), name=name_of(hostile, ".mp4"))
    tripwires.triggered()  # reset after making the file
    result = swap_result(stubs, hostile, image=face, video=url)
    assert tripwires.triggered() == []
    assert peak_memory.bytes < MAX_MEMORY_BYTES
    if result:
        (tmp_path / "result.mp4").write_bytes(result)
        after, before = media.probe_video(tmp_path / "result.mp4"), media.probe_video(path)
        assert (after.frames, after.width, after.height) == (before.frames, before.width, before.height)


@pytest.mark.parametrize("hostile", PICTURES, ids=lambda hostile: hostile.name)
def test_a_hostile_picture_is_refused_or_swapped_correctly(
    stubs: Stubs,
    materials: Materials,
    tripwires: Tripwires,
    clip: str,
    media: FfmpegMedia,
    tmp_path: Path,
    peak_memory: PeakMemory,
    hostile: HostileFile,
) -> None:
    url = stubs.stored(hostile.make(materials), file_type="image", name=name_of(hostile, ".jpg"))
    tripwires.triggered()
    result = swap_result(stubs, hostile, image=url, video=clip)
    assert tripwires.triggered() == []
    assert peak_memory.bytes < MAX_MEMORY_BYTES
    if result:
        (tmp_path / "result.mp4").write_bytes(result)
        assert media.count_frames(tmp_path / "result.mp4") == 25


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    for files in (VIDEOS, PICTURES):
        names = [hostile.name for hostile in files]
        assert len(names) == len(set(names)) >= 60


def test_the_memory_of_a_process_of_a_process_is_measured(peak_memory: PeakMemory) -> None:
    grandchild = "full = b'x' * 300_000_000; print(flush=True); input()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        running.stdout.readline()
        peak_memory.sample()
        running.communicate("\n")
    assert 300_000_000 < peak_memory.bytes < 400_000_000


def swap_result(stubs: Stubs, hostile: HostileFile, *, image: str, video: str) -> bytes | None:
    """Return the result of a task with the file; None if it was refused, at once or by the task."""
    request = video_service_pb2.CreateTaskRequest(
        user_id="ann", image_url=image, video_url=video, options=OPTIONS
    )
    try:
        task = stubs.videos.CreateTask(request, timeout=TIMEOUT_SECONDS)
    except grpc.RpcError as refusal:
        assert refusal.code() is grpc.StatusCode.INVALID_ARGUMENT, refusal
        error = from_rpc(refusal, server="here:1")
        if ENGINE == "mesh" and error.reason == NoFace.reason and not (hostile.reason and hostile.certain):
            return None
        check_refusal(hostile, {MediaRefused.reason}, error.reason, error.message)
        return None
    watch = task_service_pb2.WatchTaskRequest(user_id="ann", task_id=task.task_id)
    *_, last = stubs.tasks.WatchTask(watch, timeout=TIMEOUT_SECONDS)
    if last.task.status == "failed":
        reasons = {MediaRefused.reason, FacecliError.reason}
        check_refusal(hostile, reasons, last.task.error_reason, last.task.error_message)
        return None
    assert last.task.status == "completed"
    assert not (hostile.reason and hostile.certain)
    download = file_service_pb2.DownloadRequest(user_id="ann", url=last.task.result_url)
    return b"".join(part.data for part in stubs.files.Download(download))


def name_of(hostile: HostileFile, ending: str) -> str:
    """Return a name, with the ending of the pretended type if the file is to be refused."""
    return f"{hostile.name}{ending if hostile.reason else ''}"


def check_refusal(hostile: HostileFile, reasons: set[str], reason: str, message: str) -> None:
    assert reason in reasons, message
    assert message.isprintable()
    assert hostile.reason, message
    assert re.search(hostile.reason, message), message
