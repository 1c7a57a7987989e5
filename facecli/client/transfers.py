"""What is sent, what became of it, and how long a broken transfer is tried again."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facecli.core.errors import FacecliError
from facecli.core.progress import TransferProgress
from facecli.uploads.upload import FileType

FIRST_PAUSE = 0.2  # seconds
LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToSend:
    """A local file, and what it shall be called on the server."""

    path: Path
    name: str
    file_type: FileType
    progress: TransferProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class SentUpload:
    """`bytes_skipped` were stored before and compared, not sent; `retries` are the breaks on the way."""

    file_url: str
    upload_id: str
    name: str
    size: int
    crc32c: int
    chunks: int
    bytes_sent: int
    bytes_skipped: int
    retries: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a file: `upload`, or the `error`."""

    upload: SentUpload | None = None
    error: FacecliError | None = None

    def get(self) -> SentUpload:
        if self.error:
            raise self.error
        assert self.upload
        return self.upload


class RetryBudget:
    """Pauses between tries: doubling up to a ceiling, with jitter, until `limit` seconds without progress."""

    def __init__(self, limit: float, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._limit = limit
        self._clock = clock
        self._sleep = sleep
        self._since: float | None = None
        self._pause = FIRST_PAUSE
        self.tries = 0

    @property
    def tried(self) -> bool:
        """Whether the last try came after a break, too, and brought nothing on."""
        return self._since is not None

    def progressed(self) -> None:
        """Something got through: the limit counts from the next break again."""
        self._since = None
        self._pause = FIRST_PAUSE

    def wait(self, error: FacecliError, waiting: Callable[[str, float], None]) -> bool:
        """Wait before the next try; False when the limit has passed."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        asked = float(error.details.get("retry_after", 0))
        seconds = max(asked, self._pause * random.uniform(0.75, 1.25))
        if now - self._since + seconds > self._limit:
            return False
        waiting(error.message, seconds)
        self._sleep(seconds)
        self._pause = min(LONGEST_PAUSE, self._pause * 2)
        self.tries += 1
        return True
