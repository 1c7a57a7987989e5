"""Media whose probes a test holds, stored uploads, and probes by a clock of the test."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facecli.blobs.local.store import LocalBlobs
from facecli.core.checksums import crc32c
from facecli.core.errors import Cancelled, MediaRefused
from facecli.core.video.media import ImageInfo, VideoInfo, never
from facecli.tasks.inputs.probes import Probes
from facecli.testing.fake_media import FakeMedia
from facecli.uploads.upload import FileType, Upload, UploadStatus
from tests.support.builders import upload
from tests.support.storage import Clock

TIMEOUT = 10.0  # seconds, by the clock of the test
CONTENT = b"frames"
LARGE = 500_000_000  # bytes, which give a probe ten seconds more


class HeldMedia(FakeMedia):
    """Media whose probes of files named in `held` go on until they are released or stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[str] = []
        self.stopped: list[str] = []
        self.release = threading.Event()
        self.may_stop = threading.Event()
        self.may_stop.set()
        self.held: set[str] = set()
        self.refused: set[str] = set()

    def probe_video(self, path: Path, *, stopped: Callable[[], bool] = never) -> VideoInfo:
        self._probe(path, stopped)
        return super().probe_video(path)

    def probe_image(self, path: Path, *, stopped: Callable[[], bool] = never) -> ImageInfo:
        self._probe(path, stopped)
        return super().probe_image(path)

    def _probe(self, path: Path, stopped: Callable[[], bool]) -> None:
        upload_id = path.parent.name
        self.started.append(upload_id)
        while upload_id in self.held and not self.release.wait(0.01):
            if stopped():
                self.stopped.append(upload_id)
                self.may_stop.wait()
                raise Cancelled
        if upload_id in self.refused:
            raise MediaRefused("it is broken")


@pytest.fixture
def media() -> Iterator[HeldMedia]:
    media = HeldMedia()
    yield media
    media.release.set()
    media.may_stop.set()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "data")


@pytest.fixture
def probes(media: HeldMedia, blobs: LocalBlobs, clock: Clock) -> Probes:
    return Probes(media, blobs, timeout=TIMEOUT, clock=clock)


Make = Callable[..., Upload]


@pytest.fixture
def stored(blobs: LocalBlobs, tmp_path: Path) -> Make:
    """Make a complete upload with its blob."""

    def make(upload_id: str, *, owner: str = "ann", **more: Any) -> Upload:
        (tmp_path / "new").write_bytes(CONTENT)
        blobs.put(f"uploads/{upload_id}", tmp_path / "new")
        values = {"file_type": FileType.VIDEO, "size": len(CONTENT), **more}
        return replace(
            upload(),
            id=upload_id,
            owner=owner,
            blob_key=f"uploads/{upload_id}",
            status=UploadStatus.COMPLETED,
            crc32c=crc32c(CONTENT),
            **values,
        )

    return make
