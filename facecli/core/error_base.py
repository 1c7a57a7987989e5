"""FacecliError, the base of the error tree in core/errors.py.

FacecliError
├── InvalidInput              invalid request
│   ├── ChecksumMismatch      a chunk's bytes do not match its checksum
│   └── MediaRefused          a file is not a usable video or picture
│       ├── NoFace            a picture without a face
│       └── NothingSwapped    a video without the face to replace
├── OutOfOrder                a chunk ahead of the stored ones, in a call that requires order
├── NotFound
│   ├── UploadNotFound
│   └── TaskNotFound
├── AlreadyExists
│   ├── ChunkDiffers          different bytes for a complete upload
│   └── KeyReused             an idempotency key reused for a different task
├── NotReady                  valid request, wrong state
│   ├── NotConfigured
│   ├── UploadUnfinished
│   ├── TaskEnded
│   └── ResultMissing
├── TakenOver                 fenced: another writer has this upload, or another worker this task
├── LimitReached              limit or quota
│   ├── FileTooLarge
│   ├── TooManyCalls
│   ├── QuotaReached
│   └── DiskFull
├── Unauthenticated
├── NotAllowed
├── PolicyRefused
├── Unavailable               retryable
│   ├── ServerUnreachable
│   │   └── MisconfiguredConnection   not retryable: an unknown host, an untrusted certificate
│   ├── ProgramKilled         ffmpeg or a worker was killed, perhaps by the kernel when out of memory
│   └── StorageFailed         disk error; nothing is acknowledged until a check has passed
│       └── BucketUnusable    not retryable: no such bucket, no permission, wrong credentials or region
├── IdleTooLong               idle timeout
├── BytesDiffer               received data does not match its checksum or size
├── UnexpectedResponse        a response that no facecli server sends
├── TimedOut                  the caller's deadline
├── UploadInterrupted         the client gave up; stored data is kept
├── TaskUnsuccessful          the task failed or was cancelled
├── FfmpegMissing
├── DirectoryInUse
├── OutputFailed              a command's output cannot be written
│   └── ReaderGone            the reader of the output has ended
├── Cancelled                 stopped by the caller
└── InternalError             a bug; the log has its traceback under the error ID
"""

from typing import ClassVar

TREE = "facecli.core.errors"  # the module whose classes name their own reasons


class FacecliError(Exception):
    """The operation failed."""

    reason: ClassVar[str] = "UNKNOWN"
    hint: ClassVar[str] = ""
    retryable: bool = False
    upload_id: str  # the failed upload, in a stream of several
    retry_after: int  # seconds, if waiting helps

    def __init_subclass__(cls) -> None:
        """Set the public reason: the class name in capitals, or for a plug-in's error its base's."""
        if cls.__module__ != TREE:
            cls.reason = next(kind.reason for kind in cls.__mro__[1:] if issubclass(kind, FacecliError))
        elif "reason" not in vars(cls):
            cls.reason = "".join(f"_{c}" if c.isupper() else c.upper() for c in cls.__name__)[1:]

    def __init__(self, message: str = "", **details: str | int) -> None:
        self.message = message or (type(self).__doc__ or self.reason).splitlines()[0]
        self.details, self.request_id = details, ""  # of the failed call, as in the server's log
        self.retryable = self.retryable or "retry_after" in details
        vars(self).update(details)
        super().__init__(self.message)
