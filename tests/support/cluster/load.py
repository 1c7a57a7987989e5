"""The users of a cluster: uploads, tasks with their watchers, and short commands all the time."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import facecli
from facecli.core.errors import FacecliError
from facecli.media.ffmpeg import FfmpegMedia
from tests.support.cluster.machines import Cluster
from tests.support.cluster.results import Downloaded, downloaded
from tests.support.e2e.files import MIB, make_file, sha256
from tests.support.e2e.process import CommandProcess, CommandResult, run
from tests.support.e2e.uploads import retry_reasons, stored_progress

CHUNK = 5 * MIB  # the least of S3
WATCHERS_PER_CLIENT = 20
WATCHER = "watcher"  # the user who has all tasks
TASK_SECONDS = 8  # that the engine takes longer than it needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """An upload that ended.

    `resent` are bytes that were sent twice, without those that the bucket had lost and the chunks that it
    refused because of that, and `breaks` the connections that ended early. `back` is whether the stored bytes
    went back.
    """

    name: str
    code: int
    size: int
    resent: int
    breaks: int
    back: bool
    same: bool  # as the file, when it is downloaded
    seconds: float
    reasons: Sequence[str]  # of the breaks


class Uploads:
    """Uploads of one user each, at a rate that lets them last for `seconds`."""

    def __init__(self, cluster: Cluster, folder: Path, *, number: int, mib: int, seconds: float) -> None:
        self._cluster = cluster
        self._lost = [0] * number  # bytes of each upload
        rate = max(1, int(mib * MIB / seconds))
        self._files = [make_file(folder / f"upload{each}.mp4", mib=mib) for each in range(number)]
        self._commands = [
            CommandProcess(
                *("upload", file, *cluster.client, "--user", file.stem, "--chunk-size", CHUNK),
                *("--limit-rate", rate, "--progress", "json", "--json"),
            )
            for file in self._files
        ]

    @property
    def running(self) -> int:
        return sum(command.runs_for(0) for command in self._commands)

    def bucket_was_killed(self) -> None:
        """Note what rclone has lost: it keeps the parts of an unfinished upload in memory."""
        for number, command in enumerate(self._commands):
            if command.runs_for(0):
                self._lost[number] += command.stored()

    def stored(self) -> int:
        return sum(command.stored() for command in self._commands)

    def results(self, folder: Path) -> Iterator[Uploaded]:
        """Wait for each upload, and download its file."""
        for file, command, lost in zip(self._files, self._commands, self._lost, strict=True):
            with command:
                result = command.wait()
            yield self._checked(file, result, lost, folder / f"again-{file.name}")

    def _checked(self, file: Path, result: CommandResult, lost: int, again: Path) -> Uploaded:
        size, progress, reasons = file.stat().st_size, stored_progress(result), retry_reasons(result)
        refused = sum("multipart upload" in reason and "is gone" in reason for reason in reasons)
        found = result.objects[-1] if result.code == 0 else {}
        same = False
        if found:
            run(
                "file", "download", found["file_url"], "-o", again, *self._cluster.client, "--user", file.stem
            )
            same = sha256(again) == sha256(file)
            again.unlink()
        return Uploaded(
            name=file.stem,
            code=result.code,
            size=size,
            resent=max(0, found.get("bytes_sent", 0) - size - lost - refused * CHUNK),
            breaks=found.get("retries", 0),
            back=progress != sorted(progress),
            same=same,
            seconds=found.get("seconds", 0.0),
            reasons=reasons,
        )


@dataclass(slots=True, kw_only=True)
class Watched:
    """The statuses that one watcher saw, without repetitions."""

    task_id: str
    statuses: list[str] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)
    error: str = ""


class Tasks:
    """Tasks with the same inputs and options, so that all results are the same, and their watchers."""

    def __init__(self, cluster: Cluster, folder: Path, *, number: int, watchers: int) -> None:
        self._cluster = cluster
        media, face, clip = FfmpegMedia(), folder / "face.png", folder / "clip.mp4"
        media.make_face(face)
        media.make_clip(clip, seconds=2, width=320, height=180)
        self._clients = [
            facecli.connect(cluster.address, tls_ca=cluster.ca, user=WATCHER)
            for _ in range(-(-watchers // WATCHERS_PER_CLIENT))
        ]
        first = self._clients[0]
        self.urls = {"image": first.upload(face).file_url, "video": first.upload(clip).file_url}
        # The seconds differ, not the frames, so the results are the same and none is that of another task.
        delays = [str(TASK_SECONDS + each / 1000) for each in range(number)]
        files = (self.urls["image"], self.urls["video"])
        self.ids = [first.tasks.create(*files, options={"delay": delay}).id for delay in delays]
        self._pool = ThreadPoolExecutor(watchers, thread_name_prefix="watcher")
        self._watched: list[Future[Watched]] = [
            self._pool.submit(self._watch, self._clients[each % len(self._clients)], self.ids[each % number])
            for each in range(watchers)
        ]

    @property
    def running(self) -> int:
        return sum(not future.done() for future in self._watched)

    def watched(self) -> list[Watched]:
        """Wait for the end of every watch."""
        found = [future.result() for future in self._watched]
        self._pool.shutdown()
        return found

    def results(self, folder: Path) -> dict[str, Downloaded]:
        """The downloaded result of each task."""
        return downloaded(self._cluster, self.ids, folder, user=WATCHER)

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _watch(self, client: facecli.Client, task_id: str) -> Watched:
        watched = Watched(task_id=task_id)
        try:
            for task in client.tasks.watch(task_id):
                watched.revisions.append(task.revision)
                if watched.statuses[-1:] != [task.status]:
                    watched.statuses.append(str(task.status))
        except FacecliError as error:
            watched.error = f"{error.reason}: {error.message}"
        return watched


class Commands:
    """Commands, one after another, in a few threads; counts those that failed. The files of `urls` are for
    tasks."""

    def __init__(self, cluster: Cluster, folder: Path, urls: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._urls = urls
        self._file = make_file(folder / "small.mp4", mib=1)
        self._numbers = count()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.done = 0
        self.failed: list[str] = []

    @contextmanager
    def running(self, threads: int) -> Iterator[None]:
        with ThreadPoolExecutor(threads, thread_name_prefix="commands") as pool:
            futures = [pool.submit(self._run_all) for _ in range(threads)]
            try:
                yield
            finally:
                self._stopped.set()
            for future in futures:
                future.result()

    def _run_all(self) -> None:
        while not self._stopped.is_set():
            number = next(self._numbers)
            user = ("--user", f"command{number}")
            self._run("upload", self._file, *user)
            self._run("file", "list", *user)
            self._run("task", "list", "--user", WATCHER)
            files = [word for name, url in self._urls.items() for word in (f"--{name}", url)]
            self._run("task", "create", *files, "--option", f"seed={number}", "--watch", "--user", WATCHER)

    def _run(self, *words: object) -> None:
        command: Sequence[object] = (*words, *self._cluster.client)
        with CommandProcess(*command) as process:
            result = process.wait()
        with self._lock:
            self.done += 1
            if result.code:
                self.failed.append(f"{' '.join(map(str, words))}: exit {result.code}: {result.err[-400:]}")
