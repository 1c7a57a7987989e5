"""Error classes; error_base.py draws their tree.

gRPC statuses are in wire/errors.py, exit codes in cli/shared/exits.py.
"""

from facecli.core.error_base import FacecliError as FacecliError


class InvalidInput(FacecliError):
    """The request is invalid."""


class ChecksumMismatch(InvalidInput):
    """The chunk arrived damaged and was discarded. Send it again."""

    retryable = True


class MediaRefused(InvalidInput):
    """The file is not a usable picture or video."""


class NoFace(MediaRefused):
    """There is no face in the picture."""

    hint = "use a picture that shows the whole head from the front"


class NothingSwapped(MediaRefused):
    """No frame of the video shows the face to replace."""

    hint = "facecli engines NAME lists the options of the engine that choose faces"


class OutOfOrder(FacecliError):
    """The chunk is out of order."""

    next_chunk_index: int


class NotFound(FacecliError):
    """Not found."""


class UploadNotFound(NotFound):
    """Upload not found."""

    hint = "facecli upload prints the URL of a file; incomplete uploads expire"


class TaskNotFound(NotFound):
    """Task not found."""

    hint = "facecli task list shows your tasks"


class AlreadyExists(FacecliError):
    """It already exists and is different."""


class ChunkDiffers(AlreadyExists):
    """The upload is complete and has different bytes at this offset."""

    hint = "start a new upload with facecli upload --no-resume"


class KeyReused(AlreadyExists):
    """The idempotency key was used for a different task."""

    hint = "choose a different --id"


class NotReady(FacecliError):
    """Not possible in the current state."""


class NotConfigured(NotReady):
    """Nobody has set the engine up on this machine."""


class UploadUnfinished(NotReady):
    """The upload is not complete."""

    hint = "run the same facecli upload again to send the missing chunks"


class TaskEnded(NotReady):
    """The task has ended."""

    hint = "facecli task status shows how it ended; facecli task retry runs a failed one again"


class ResultMissing(NotReady):
    """The task has no result."""

    hint = "facecli task status shows the reason; facecli task retry runs it again"


class TakenOver(FacecliError):
    """Another client or worker has taken over; this one can no longer write."""


class LimitReached(FacecliError):
    """Limit reached."""


class FileTooLarge(LimitReached):
    """The file exceeds the server's size limit."""

    hint = "facecli doctor shows the server's limits"


class TooManyCalls(LimitReached):
    """The server has reached its limit of concurrent calls of this kind."""

    hint = "run the same command again later"


class QuotaReached(LimitReached):
    """The user's quota is exhausted."""

    hint = "free space with facecli file delete or facecli task delete; facecli doctor shows the limits"


class DiskFull(LimitReached):
    """The server's disk is full; acknowledged data is kept."""

    hint = "free some space on the server, then run the same command again"


class Unauthenticated(FacecliError):
    """The server requires a valid token."""

    hint = "set FACECLI_TOKEN or FACECLI_TOKEN_FILE to a token created there with facecli token create"


class NotAllowed(FacecliError):
    """Permission denied."""

    hint = "facecli doctor shows which user you are; another one needs --user and the token of an admin"


class PolicyRefused(FacecliError):
    """Refused by policy."""


class Unavailable(FacecliError):
    """The server is unavailable."""

    retryable = True


class ServerUnreachable(Unavailable):
    """The server is unreachable."""

    hint = "is facecli serve running there? --server, FACECLI_SERVER or the profile names the address; "
    hint += "facecli config show server says which one it was, and --server local runs one for the command"


class MisconfiguredConnection(ServerUnreachable):
    """The server cannot be reached as configured."""

    retryable = False
    hint = "check --server and the --tls options"


class ProgramKilled(Unavailable):
    """A program was killed."""


class StorageFailed(Unavailable):
    """The server's storage failed; unsaved data was not acknowledged."""


class BucketUnusable(StorageFailed):
    """The server's bucket cannot be used as configured."""

    retryable = False


class IdleTooLong(FacecliError):
    """The idle timeout expired; stored data is kept."""

    retryable = True


class BytesDiffer(FacecliError):
    """Integrity check failed: the bytes do not match their checksum."""

    hint = "run the same command again; if it fails again, facecli fsck checks the files of the server"


class UnexpectedResponse(FacecliError):
    """The server sent an invalid response."""

    hint = "the server may be another version of facecli, or not facecli; facecli doctor shows its version"


class TimedOut(FacecliError):
    """The time limit expired."""


class UploadInterrupted(FacecliError):
    """The upload is incomplete; the server keeps the stored data."""

    hint = "run the same command again to resume"


class TaskUnsuccessful(FacecliError):
    """The task did not complete."""


class FfmpegMissing(FacecliError):
    """ffmpeg not found."""

    hint = "install it with apt-get install ffmpeg or pip install imageio-ffmpeg"


class DirectoryInUse(FacecliError):
    """Another facecli process uses this directory."""


class OutputFailed(FacecliError):
    """The output cannot be written."""


class ReaderGone(OutputFailed):
    """The reader of the output has ended."""


class Cancelled(FacecliError):
    """Cancelled."""

    hint = "run the same command again to resume"


class InternalError(FacecliError):
    """Internal server error."""

    reason = "INTERNAL"
    error_id: str
