"""Probes: inspects the files of new tasks, each complete upload once, or once per engine that checks faces.

Theory of operation. The bytes of a complete upload do not change, so what a probe found is remembered for as
long as nobody writes to the file, and calls that need the same probe at the same time share it. A probe runs
in a thread of its own as soon as `FairSlots` has room: it holds no slot of short calls, and one owner's slow
files leave room for those of others. A call waits for its probes at most `timeout` seconds in total. A probe
ends, and with it its ffmpeg, when no call waits for it any more, and then no later call joins it; or when its
file has used up its time: nearly `timeout`, and for a large video, which is read to its end, one second more
for every 50 MB. Such a probe goes on when its first call has given up; a later one finds it finished.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from facecli.core.blobs import BlobStore, Capability, present
from facecli.core.errors import (
    Cancelled,
    FacecliError,
    InternalError,
    MediaRefused,
    TooManyCalls,
    Unavailable,
)
from facecli.core.video.media import ImageInfo, Media, VideoInfo
from facecli.tasks.inputs.fair_slots import FairSlots
from facecli.uploads.stored_file import StoredFile
from facecli.uploads.upload import FileType, Upload

MAX_PROBES = 8  # at the same time; each is a process
MAX_REMEMBERED = 10_000  # uploads
POLL_SECONDS = 0.05
BYTES_PER_SECOND = 50_000_000  # of a large video on a slow disk
RETRY_AFTER = 5  # seconds
SHARE_OF_PROBE = 0.9  # of the time limit of a call; the rest is for starting and killing a process

Info = VideoInfo | ImageInfo
_Key = tuple[str | int, ...]  # id of an upload, state of its file, and the engine that checks its face


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCheck:
    """An engine, by name and version, and its check of a picture: raises MediaRefused."""

    engine: str
    run: Callable[[Path, Callable[[], bool]], None]


class _Probe:
    """A probe in progress. `callers` is how many calls wait for it."""

    def __init__(self, upload: Upload, state: tuple[int, ...], check: FaceCheck | None) -> None:
        self.upload = upload
        self.check = check if upload.file_type is FileType.IMAGE else None
        self.key: _Key = (upload.id, *state, self.check.engine if self.check else "")
        self.callers = 0
        self.goes_on = False  # without callers
        self.abandoned = False  # its last caller has left, so that it ends and no other call may join it
        self.started_at: float | None = None  # None while it waits for a slot
        self.info: Info | None = None
        self.error: FacecliError | None = None
        self.done = threading.Event()


class Probes:
    """Finds the properties of uploads. Safe to use from many threads."""

    def __init__(
        self, media: Media, blobs: BlobStore, *, timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._media = media
        self._blobs = blobs
        self._timeout = timeout
        self._clock = clock
        self._slots = FairSlots(MAX_PROBES, owner_limit=MAX_PROBES // 2)
        self._found = OrderedDict[_Key, _Probe]()  # without an error, or with one that no call has received
        self._running: dict[_Key, _Probe] = {}
        self._lock = threading.Lock()

    def infos(
        self, uploads: Sequence[Upload], *, face: FaceCheck | None = None, active: Callable[[], bool]
    ) -> list[Info]:
        """The properties of each upload, all probed at the same time; pictures also by `face`.

        MediaRefused for a file that cannot be used; TooManyCalls or Unavailable, with the time to wait, when
        that is not known in time; Cancelled once `active` returns false.
        """
        deadline = self._clock() + self._timeout
        joined = [self._join(upload, face) for upload in uploads]
        try:
            return [self._info(probe, deadline, active) for probe in joined]
        finally:
            with self._lock:
                for probe in joined:
                    self._leave(probe)

    def _join(self, upload: Upload, face: FaceCheck | None) -> _Probe:
        """Join the probe of an upload, which is done if its result is remembered."""
        with present(f"{upload.name} (send them again with facecli upload --no-resume)"):
            new = _Probe(upload, self._state(upload), face)
        with self._lock:
            probe = self._found.get(new.key) or self._running.get(new.key) or new
            probe.callers += 1
            if probe.error and new.key in self._found:
                del self._found[new.key]
            if probe is new:
                self._running[new.key] = new
                threading.Thread(target=self._run, args=(new,), name="probe", daemon=True).start()
        return probe

    def _leave(self, probe: _Probe) -> None:
        """Note, under the lock, that a call does not wait for a probe any more."""
        probe.callers -= 1
        if not probe.callers and not probe.goes_on:
            probe.abandoned = True
            self._forget(probe)

    def _forget(self, probe: _Probe) -> None:
        if self._running.get(probe.key) is probe:
            del self._running[probe.key]

    def _state(self, upload: Upload) -> tuple[int, ...]:
        """Numbers that change when somebody writes to the file; none if it would have to be fetched."""
        if Capability.LOCAL_FILES in self._blobs.capabilities:
            with self._blobs.local_copy(upload.blob_key) as path:
                return StoredFile(upload, path).state()
        self._blobs.size(upload.blob_key)
        return ()

    def _info(self, probe: _Probe, deadline: float, active: Callable[[], bool]) -> Info:
        while not probe.done.wait(POLL_SECONDS):
            if not active():
                raise Cancelled
            if self._clock() > deadline:
                raise self._late(probe)
        if probe.error:
            # One error may end several calls; each gets its own.
            raise type(probe.error)(probe.error.message, **probe.error.details)
        assert probe.info
        return probe.info

    def _late(self, probe: _Probe) -> FacecliError:
        """The refusal of a call whose time is up, while the probe waits or runs."""
        if probe.started_at is None:
            return TooManyCalls(
                f"the server is busy with other files; {probe.upload.name} was not checked within "
                f"{self._timeout:g} s; try again in {RETRY_AFTER} s",
                retry_after=RETRY_AFTER,
            )
        probe.goes_on = True
        return Unavailable(
            f"{probe.upload.name} is still being checked; try again in {RETRY_AFTER} s",
            retry_after=RETRY_AFTER,
        )

    def _run(self, probe: _Probe) -> None:
        """The thread of a probe."""
        upload, allowed = probe.upload, self._allowed(probe.upload)

        def abandoned() -> bool:
            return probe.abandoned

        def stopped() -> bool:
            return probe.abandoned or self._clock() - (probe.started_at or 0.0) > allowed

        error: FacecliError | None = InternalError("the check of the file failed; see the server's log")
        try:
            with self._slots.acquire(upload.owner, stopped=abandoned):
                probe.started_at = self._clock()
                with ExitStack() as copies:
                    with present(upload.name):
                        copy = self._blobs.local_copy(upload.blob_key, stopped=abandoned)
                        file = StoredFile(upload, copies.enter_context(copy))
                    probe.started_at = self._clock()  # the time limit is for the check alone
                    probe.info = self._inspect(probe, file, stopped)
            error = None
        except Cancelled:
            if not probe.abandoned:  # otherwise no call receives the error
                error = MediaRefused(
                    f"{upload.name} was not checked within {allowed:g} s, the probe_timeout of the server; "
                    "the file is too complex, or broken"
                )
        except FacecliError as refusal:
            error = refusal
        finally:
            with self._lock:
                probe.error = error
                self._forget(probe)
                if error is None or (probe.goes_on and isinstance(error, MediaRefused)):
                    self._found[probe.key] = probe
                    while len(self._found) > MAX_REMEMBERED:
                        self._found.popitem(last=False)
            probe.done.set()

    def _inspect(self, probe: _Probe, file: StoredFile, stopped: Callable[[], bool]) -> Info:
        """Probe the file; a refusal names it. A damaged one in the store is not blamed on its owner."""
        path = file.path
        try:
            if probe.upload.file_type is FileType.VIDEO:
                return self._media.probe_video(path, stopped=stopped)
            info = self._media.probe_image(path, stopped=stopped)
            if probe.check:
                probe.check.run(path, stopped)
            return info
        except MediaRefused as refused:
            file.verify(stopped)
            message = f"{probe.upload.name}: {refused.message}"
            raise type(refused)(message, **refused.details) from refused

    def _allowed(self, upload: Upload) -> float:
        """Seconds for the probe of this file."""
        size = 0 if upload.file_type is FileType.IMAGE else upload.size or 0
        return self._timeout * SHARE_OF_PROBE + size // BYTES_PER_SECOND
