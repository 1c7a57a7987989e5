"""The client of the library: one call for each thing that a command does."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from facecli.api.server_info import ServerInfo
from facecli.client.destination import Destination, destination, local_name
from facecli.client.input_file import check_order, file_to_send, task_input
from facecli.client.swap import SwapRequest
from facecli.client.terms import stated_terms
from facecli.client.transfers import SentUpload
from facecli.config.settings import Settings
from facecli.core.errors import AlreadyExists, ResultMissing
from facecli.core.video.plan import microseconds, video_part
from facecli.library.limits import CallSessions
from facecli.library.progress import Transfer, TransferReporter
from facecli.library.session import connected
from facecli.library.tasks import Tasks
from facecli.library.uploads import FileReference, Uploads, url
from facecli.tasks.task import Priority
from facecli.tasks.view import TaskView
from facecli.uploads.upload import FileType

FilePath = str | PathLike[str]


class Client:
    """A connection to a server, made by `facecli.connect`.

    It prints nothing and keeps no global state. Threads may share a client; a process that was forked needs
    one of its own. Every call raises a FacecliError with `reason`, `message`, `hint` and `retryable`. Making
    an interrupted call again resumes it. A callback for progress runs in the thread of the call; an error
    that it raises ends the call.
    """

    def __init__(self, settings: Settings, *, call_retry_for: float) -> None:
        self._stack = ExitStack()
        session = self._stack.enter_context(connected(settings))
        self._sessions = CallSessions(session, call_retry_for=call_retry_for)
        self.tasks = Tasks(self._sessions)
        self.uploads = Uploads(self._sessions)

    def upload(
        self,
        path: FilePath,
        *,
        name: str = "",
        file_type: str = "",
        resume: bool = True,
        timeout: float | None = None,
        progress: Callable[[Transfer], object] | None = None,
    ) -> SentUpload:
        """Upload a picture or a video; resumes what an earlier call has begun.

        `file_type` is `image` or `video`, found out without it. Bytes that the server has already are
        compared and not sent again, unless `resume` is false.
        """
        kind = FileType(file_type) if file_type else None
        file = file_to_send(Path(path), TransferReporter(progress), name=name, file_type=kind)
        uploads = self._sessions.long(timeout).uploads
        (outcome,) = uploads.send(
            [file],
            chunk_size=self._sessions.chunk_size,
            retry_for=self._sessions.retry_for,
            resume=resume,
        )
        return outcome.get()

    def download(
        self,
        source: TaskView | FileReference,
        output: FilePath,
        *,
        overwrite: bool = False,
        timeout: float | None = None,
        progress: Callable[[Transfer], object] | None = None,
    ) -> Path:
        """Download a task's result, or the file of a URL, to a file or into a directory; returns its path.

        The file appears when it is complete and verified. One that has these bytes already is kept; another
        one raises AlreadyExists unless `overwrite` is set.
        """
        address = _result_url(source) if isinstance(source, TaskView) else url(source)
        session = self._sessions.long(timeout)
        name = local_name(unquote(address.rsplit("/", 1)[-1]), otherwise="download")
        target = _output(output, name=name, overwrite=overwrite)
        promise = session.files.describe(address)
        if target.exists and not overwrite:
            if target.holds(size=promise.size, crc32c=promise.crc32c):
                return target.path
            raise _exists(target)
        session.files.download_to(
            address, target, retry_for=self._sessions.retry_for, progress=TransferReporter(progress)
        )
        return target.path

    def swap(
        self,
        image: FilePath,
        video: FilePath,
        output: FilePath,
        *,
        engine: str = "",
        options: Mapping[str, str] | None = None,
        begin: float = 0.0,
        end: float | None = None,
        fresh: bool = False,
        notify: str = "",
        consent: FilePath = "",
        no_label: str = "",
        priority: str = "normal",
        overwrite: bool = False,
        timeout: float | None = None,
        progress: Callable[[Transfer | TaskView], object] | None = None,
    ) -> TaskView:
        """Put the face of the picture on the video and write the verified result; returns its task.

        Uploads both files, creates a task, waits for it and downloads. The same files, part, engine and
        options give the result of an earlier task, unless `fresh` is set. An `output` that is this result is
        kept; another existing file raises AlreadyExists unless `overwrite` is set. `notify` is the URL of a
        webhook for the end of the task. TaskUnsuccessful if the task fails.

        `consent`, of the person whose face is used, is a text or a file, of which only the SHA-256 is sent;
        `no_label` is the reason for a result without labels. Both are recorded. PolicyRefused if the server
        requires a consent or allows no such result. `priority` is high, normal or low, among your waiting
        tasks.
        """
        image, video = Path(image), Path(video)
        session = self._sessions.long(timeout)
        target = _output(output, name=f"{video.stem}.mp4", inputs=(image, video), overwrite=overwrite)
        request = SwapRequest(
            image=image,
            video=video,
            output=target,
            engine=engine,
            options=options or {},
            chunk_size=self._sessions.chunk_size,
            retry_for=self._sessions.retry_for,
            part=video_part(begin, end),
            fresh=fresh,
            notify=notify,
            terms=stated_terms(no_label, consent),
            priority=Priority.labelled(priority),
        )
        if target.exists and not overwrite:
            task = None if fresh else session.swaps.finished(request)
            if task is None:
                raise _exists(target)
            return task

        def changed(task: TaskView) -> None:
            if progress:
                progress(task)

        return session.swaps.swap(
            request,
            transfer=lambda: TransferReporter(progress),
            changed=changed,
            reused=lambda task: None,
        )

    def preview(
        self,
        image: FilePath,
        video: FilePath,
        *,
        at: Iterable[float] = (),
        engine: str = "",
        options: Mapping[str, str] | None = None,
        consent: FilePath = "",
        no_label: str = "",
        timeout: float | None = None,
        progress: Callable[[Transfer], object] | None = None,
    ) -> bytes:
        """Return a JPEG with some frames before and after the swap; creates no task.

        `at` are up to 8 times in seconds; without it there are 4 frames, spread evenly. `consent` and
        `no_label` are as for `swap`; a preview records nothing.
        """
        session = self._sessions.long(timeout)
        check_order(Path(image), Path(video))
        files = [
            task_input(Path(path), kind, TransferReporter(progress))
            for path, kind in ((image, FileType.IMAGE), (video, FileType.VIDEO))
        ]
        terms = stated_terms(no_label, consent)
        session.tasks.check(engine=engine, options=options or {}, terms=terms)
        image_url, video_url = (
            session.uploads.send_one(
                file, chunk_size=self._sessions.chunk_size, retry_for=self._sessions.retry_for
            ).file_url
            for file in files
        )
        return session.tasks.preview(
            image_url=image_url,
            video_url=video_url,
            engine=engine,
            options=options or {},
            at=[microseconds(each) for each in at],
            terms=terms,
        )

    def link(self, source: TaskView | FileReference, *, expires_in: float = 3600.0) -> str:
        """Return a link by which anybody can open a result or a file for so many seconds, at most 7 days.

        Needs a server with `--http`.
        """
        address = _result_url(source) if isinstance(source, TaskView) else url(source)
        link, _ = self._sessions.short().files.link(address, expires_in=expires_in)
        return link

    def server_info(self) -> ServerInfo:
        """Return the server's version, engines and limits, and the user that it takes the caller for."""
        return self._sessions.short().files.info()

    def close(self) -> None:
        """Close the connection; calls that run in other threads end with an error."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def _output(output: FilePath, *, name: str, inputs: Iterable[Path] = (), overwrite: bool) -> Destination:
    """The destination, which is absolute, so that `-` is a file like any other."""
    path = Path(output).absolute()
    text = f"{path}/" if str(output).endswith("/") else str(path)
    return destination(text, name=name, inputs=inputs, overwrite=overwrite)


def _exists(target: Destination) -> AlreadyExists:
    return AlreadyExists(f"{target.shown} already exists and is different; overwrite=True replaces it")


def _result_url(task: TaskView) -> str:
    if not task.result_url:
        raise ResultMissing(f"task {task.id} is {task.status} and has no result")
    return task.result_url
