"""The uploads of a batch: each input once, on shared streams, when the first job needs it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Condition, Thread

from facecli.client.input_file import task_input
from facecli.client.transfers import FileToSend
from facecli.client.uploads import UploadClient
from facecli.core.errors import FacecliError
from facecli.core.progress import TransferProgress
from facecli.uploads.upload import FileType

_Input = tuple[Path, FileType]


class InputUploads:
    """Uploads files in a thread. `url` is safe to use from many threads.

    What is asked for while a stream runs goes together on the next one.
    """

    def __init__(
        self,
        client: UploadClient,
        *,
        chunk_size: int,
        retry_for: float,
        limit_rate: int,
        transfer: Callable[[], TransferProgress],
    ) -> None:
        self._client = client
        self._chunk_size = chunk_size
        self._retry_for = retry_for
        self._limit_rate = limit_rate
        self._transfer = transfer
        self._changed = Condition()
        self._wanted = list[_Input]()
        self._known = dict[_Input, str | FacecliError | None]()  # None while it is on its way
        self._stopped: FacecliError | None = None
        Thread(target=self._send_all, name="batch-uploads", daemon=True).start()

    def url(self, file: Path, file_type: FileType) -> str:
        """The URL of a file, once it is uploaded; raises the error of its upload."""
        key = (file, file_type)
        with self._changed:
            if key not in self._known:
                self._known[key] = None
                self._wanted.append(key)
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._known[key] is not None or self._stopped)
            found = self._known[key] or self._stopped
        assert found
        if isinstance(found, FacecliError):
            raise found
        return found

    def stop(self, error: FacecliError) -> None:
        """Have every thread that waits, or will, raise this error; the stream ends with its connection."""
        with self._changed:
            self._stopped = self._stopped or error
            self._changed.notify_all()

    def _send_all(self) -> None:
        try:
            while batch := self._next_batch():
                self._send(batch)
        except ValueError:  # gRPC's error for a call on a closed channel
            if not self._stopped:
                raise
        finally:
            self.stop(FacecliError("the uploads have ended"))

    def _next_batch(self) -> Sequence[_Input]:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._stopped)
            if self._stopped:
                return []
            batch, self._wanted = self._wanted, []
            return batch

    def _send(self, batch: Sequence[_Input]) -> None:
        key_of = dict[int, _Input]()
        files = list[FileToSend]()
        for key in batch:
            try:
                files.append(task_input(*key, self._transfer()))
            except FacecliError as error:
                self._settle(key, error)
            else:
                key_of[id(files[-1])] = key
        sent = self._client.send(
            files, chunk_size=self._chunk_size, retry_for=self._retry_for, limit_rate=self._limit_rate
        )
        for outcome in sent:
            if outcome.file is None:
                assert outcome.error
                self.stop(outcome.error)
            else:
                result = outcome.error or outcome.upload
                assert result
                url = result if isinstance(result, FacecliError) else result.file_url
                self._settle(key_of[id(outcome.file)], url)

    def _settle(self, key: _Input, result: str | FacecliError) -> None:
        with self._changed:
            self._known[key] = result
            self._changed.notify_all()
