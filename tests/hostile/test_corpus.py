"""Every hostile file, uploaded and used in a task: refused with a reason, or the result is right.

None reads another file or calls an address, none hangs, none fills the memory.
"""

import re
import resource
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from facecli.core.errors import FacecliError, MediaRefused
from facecli.media.ffmpeg import FfmpegMedia
from facecli.wire.errors import from_rpc
from facecli.wire.generated import file_service_pb2, task_service_pb2, video_service_pb2
from tests.hostile.materials import Hostile, Site
from tests.hostile.pictures import pictures
from tests.hostile.playlists import playlists
from tests.hostile.references import references
from tests.hostile.tripwires import Traps
from tests.hostile.videos import videos
from tests.unit.rpc.conftest import Stubs

MOST_MEMORY = 768 * 1024**2  # bytes that ffmpeg or the picture decoder held; 36 million pixels take 500
PATIENCE = 240  # seconds until a task is taken to hang

VIDEOS = [*playlists(), *references(), *videos()]
PICTURES = list(pictures())


@pytest.fixture(scope="module")
def face(stubs: Stubs, site: Site) -> str:
    return stubs.stored(site.face, file_type="image", name="face.png")


@pytest.fixture(scope="module")
def clip(stubs: Stubs, site: Site) -> str:
    return stubs.stored(site.clip)


@pytest.fixture
def peak_memory() -> Callable[[], int]:
    """Bytes of the largest process since the test began; 0 when it was none larger than in a test before."""
    before = largest_child()
    return lambda: now if (now := largest_child()) > before else 0


@pytest.mark.parametrize("hostile", VIDEOS, ids=lambda hostile: hostile.name)
def test_a_hostile_video(
    stubs: Stubs,
    site: Site,
    traps: Traps,
    face: str,
    media: FfmpegMedia,
    tmp_path: Path,
    peak_memory: Callable[[], int],
    hostile: Hostile,
) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(hostile.make(site))
    url = stubs.stored(path.read_bytes(), name=name_of(hostile, ".mp4"))
    traps.sprung()  # by whoever made the file
    result = used(stubs, hostile, image=face, video=url)
    assert traps.sprung() == []
    assert peak_memory() < MOST_MEMORY
    if result:
        (tmp_path / "result.mp4").write_bytes(result)
        is_, was = media.probe_video(tmp_path / "result.mp4"), media.probe_video(path)
        assert (is_.frames, is_.width, is_.height) == (was.frames, was.width, was.height)


@pytest.mark.parametrize("hostile", PICTURES, ids=lambda hostile: hostile.name)
def test_a_hostile_face(
    stubs: Stubs,
    site: Site,
    traps: Traps,
    clip: str,
    media: FfmpegMedia,
    tmp_path: Path,
    peak_memory: Callable[[], int],
    hostile: Hostile,
) -> None:
    url = stubs.stored(hostile.make(site), file_type="image", name=name_of(hostile, ".jpg"))
    traps.sprung()
    result = used(stubs, hostile, image=url, video=clip)
    assert traps.sprung() == []
    assert peak_memory() < MOST_MEMORY
    if result:
        (tmp_path / "result.mp4").write_bytes(result)
        assert media.probe_video(tmp_path / "result.mp4").frames == 25


def test_the_corpus_is_large_and_has_no_name_twice() -> None:
    for files in (VIDEOS, PICTURES):
        names = [hostile.name for hostile in files]
        assert len(names) == len(set(names)) >= 60


def used(stubs: Stubs, hostile: Hostile, *, image: str, video: str) -> bytes | None:
    """The result of a task with the file; None when it was refused, at once or at the task's end."""
    request = video_service_pb2.CreateTaskRequest(user_id="ann", image_url=image, video_url=video)
    try:
        task = stubs.videos.CreateTask(request, timeout=PATIENCE)
    except grpc.RpcError as refusal:
        assert refusal.code() is grpc.StatusCode.INVALID_ARGUMENT, refusal
        error = from_rpc(refusal, server="here:1")
        check_refusal(hostile, {MediaRefused.reason}, error.reason, error.message)
        return None
    watch = task_service_pb2.WatchTaskRequest(user_id="ann", task_id=task.task_id)
    *_, last = stubs.tasks.WatchTask(watch, timeout=PATIENCE)
    if last.task.status == "failed":
        reasons = {MediaRefused.reason, FacecliError.reason}
        check_refusal(hostile, reasons, last.task.error_reason, last.task.error_message)
        return None
    assert last.task.status == "completed"
    assert not (hostile.why and hostile.sure)
    download = file_service_pb2.DownloadRequest(user_id="ann", url=last.task.result_url)
    return b"".join(part.data for part in stubs.files.Download(download))


def name_of(hostile: Hostile, ending: str) -> str:
    """With the ending of what it pretends to be; what is to be taken must not pretend."""
    return f"{hostile.name}{ending if hostile.why else ''}"


def check_refusal(hostile: Hostile, reasons: set[str], reason: str, message: str) -> None:
    assert reason in reasons, message
    assert message.isprintable()
    assert hostile.why, message
    assert re.search(hostile.why, message), message


def largest_child() -> int:
    """Bytes of the largest of all processes that we waited for, ever."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
