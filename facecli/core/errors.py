"""Every way facecli says no.

FacecliError
├── InvalidInput              the request itself is wrong
│   ├── ChecksumMismatch      a chunk's bytes are not what its checksum promised
│   └── MediaRefused          a file is not a video or a picture that can be used
├── OutOfOrder                a chunk ahead of what is stored, on the call that wants them in order
├── NotFound
│   ├── UploadNotFound
│   └── TaskNotFound
├── AlreadyExists
│   ├── ChunkDiffers          other bytes for a finished upload
│   └── KeyReused             an idempotency key with another content
├── NotReady                  right request, wrong moment
│   ├── UploadUnfinished
│   ├── TaskEnded
│   └── ResultMissing
├── TakenOver                 another writer continues this upload, or another worker this task
├── LimitReached              try again later, or smaller
│   ├── FileTooLarge
│   ├── TooManyCalls
│   ├── QuotaReached
│   └── DiskFull
├── Unauthenticated
├── NotAllowed
├── PolicyRefused
├── Unavailable               try again
│   ├── ServerUnreachable
│   ├── ProgramKilled         somebody killed ffmpeg or a worker, perhaps the kernel for want of memory
│   └── StorageFailed         the disk refused; nothing is acknowledged until it was checked
├── IdleTooLong
├── BytesDiffer               what arrived is not what was promised
├── TimedOut                  the caller's own time limit
├── UploadInterrupted         the client gave up; the server keeps what it stored
├── TaskUnsuccessful          the task failed or was cancelled
├── FfmpegMissing
├── DirectoryInUse
├── Cancelled                 the caller asked to stop
└── InternalError             a bug; the log has the stack under its id
"""

from typing import ClassVar


class FacecliError(Exception):
    """Something went wrong that has no name of its own."""

    reason: ClassVar[str] = "UNKNOWN"
    hint: ClassVar[str] = ""
    retryable: bool = False
    upload_id: str  # of which upload in a stream of many, where that matters
    retry_after: int  # seconds, where waiting helps

    def __init_subclass__(cls) -> None:
        """Published: the name in capitals, or what the class says; of a plug-in's the nearest one here."""
        if cls.__module__ != __name__:
            cls.reason = next(kind.reason for kind in cls.__mro__[1:] if issubclass(kind, FacecliError))
        elif "reason" not in vars(cls):
            cls.reason = "".join(f"_{c}" if c.isupper() else c.upper() for c in cls.__name__)[1:]

    def __init__(self, message: str = "", **details: str | int) -> None:
        self.message = message or (type(self).__doc__ or self.reason).splitlines()[0]
        self.details, self.request_id = details, ""  # of the call that was refused, as in the server's log
        self.retryable = self.retryable or "retry_after" in details
        vars(self).update(details)
        super().__init__(self.message)


class InvalidInput(FacecliError):
    """The request is not valid."""


class ChecksumMismatch(InvalidInput):
    """The chunk arrived damaged; nothing of it was kept. Send it again."""

    retryable = True


class MediaRefused(InvalidInput):
    """The file cannot be used."""


class OutOfOrder(FacecliError):
    """The chunk is ahead of what is stored."""

    next_chunk_index: int


class NotFound(FacecliError):
    """There is no such thing."""


class UploadNotFound(NotFound):
    """There is no such upload."""

    hint = "facecli upload prints the file_url to use; an abandoned upload expires"


class TaskNotFound(NotFound):
    """There is no such task."""

    hint = "facecli task list shows the tasks of this user"


class AlreadyExists(FacecliError):
    """It exists already and is different."""


class ChunkDiffers(AlreadyExists):
    """The upload is finished and holds other bytes at this place."""

    hint = "begin a new upload (facecli upload --no-resume)"


class KeyReused(AlreadyExists):
    """The idempotency key was used for a task with other content."""

    hint = "choose another --id"


class NotReady(FacecliError):
    """Not possible in this state."""


class UploadUnfinished(NotReady):
    """The upload is not complete."""

    hint = "run the same facecli upload again, it sends what is missing"


class TaskEnded(NotReady):
    """The task has ended."""


class ResultMissing(NotReady):
    """The task has no result."""

    hint = "facecli task status says why; facecli task retry runs it again"


class TakenOver(FacecliError):
    """Somebody else has taken over; nothing more is accepted from here."""


class LimitReached(FacecliError):
    """A limit is reached."""


class FileTooLarge(LimitReached):
    """The file is larger than this server takes."""

    hint = "facecli doctor shows the server's limits"


class TooManyCalls(LimitReached):
    """The server has as many calls of this kind as it takes."""


class QuotaReached(LimitReached):
    """This user has as much on this server as one user may."""

    hint = "facecli file delete and facecli task delete make room; facecli doctor shows the limits"


class DiskFull(LimitReached):
    """The server's disk is full; what was acknowledged is kept."""

    hint = "make room on the server, then run the same command again"


class Unauthenticated(FacecliError):
    """The server wants a valid token."""

    hint = "set FACECLI_TOKEN, or FACECLI_TOKEN_FILE, to a token that facecli token create made there"


class NotAllowed(FacecliError):
    """This is not allowed."""


class PolicyRefused(FacecliError):
    """Refused by policy."""


class Unavailable(FacecliError):
    """The server is not available now."""

    retryable = True


class ServerUnreachable(Unavailable):
    """The server cannot be reached."""

    hint = "is facecli serve running there? facecli doctor checks the way"


class ProgramKilled(Unavailable):
    """A program was killed from outside."""


class StorageFailed(Unavailable):
    """The server's storage failed; nothing unsaved was acknowledged."""


class IdleTooLong(FacecliError):
    """Nothing arrived for too long; what was stored is kept."""

    retryable = True


class BytesDiffer(FacecliError):
    """The bytes differ from what was promised."""


class TimedOut(FacecliError):
    """The time limit passed."""


class UploadInterrupted(FacecliError):
    """The upload is incomplete; the server keeps what it stored."""

    hint = "run the same command again, it goes on where it stopped"


class TaskUnsuccessful(FacecliError):
    """The task did not complete."""


class FfmpegMissing(FacecliError):
    """There is no ffmpeg."""

    hint = "install one (apt-get install ffmpeg), or: pip install 'facecli[ffmpeg]'"


class DirectoryInUse(FacecliError):
    """Another facecli uses this directory."""


class Cancelled(FacecliError):
    """Stopped on request."""

    hint = "run the same command again to go on from there"


class InternalError(FacecliError):
    """The server met a bug."""

    reason = "INTERNAL"
    error_id: str
