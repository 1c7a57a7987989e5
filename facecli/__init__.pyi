"""Client and server for an AI video face-swap service over gRPC.

    with facecli.connect(server="127.0.0.1:50051") as client:
        client.swap("face.jpg", "clip.mp4", "out.mp4")

The public modules are this one, `facecli.plugins` for engines and `facecli.testing` for tests. Every other
module may change in any release.
"""

from facecli import plugins as plugins, testing as testing
from facecli.api.server_info import ServerInfo as ServerInfo
from facecli.client.transfers import SentUpload as SentUpload
from facecli.core.damage import StoredBytesDamaged as StoredBytesDamaged
from facecli.core.errors import (
    AlreadyExists as AlreadyExists,
    BucketUnusable as BucketUnusable,
    BytesDiffer as BytesDiffer,
    Cancelled as Cancelled,
    ChecksumMismatch as ChecksumMismatch,
    ChunkDiffers as ChunkDiffers,
    DirectoryInUse as DirectoryInUse,
    DiskFull as DiskFull,
    FacecliError as FacecliError,
    FfmpegMissing as FfmpegMissing,
    FileTooLarge as FileTooLarge,
    IdleTooLong as IdleTooLong,
    InternalError as InternalError,
    InvalidInput as InvalidInput,
    KeyReused as KeyReused,
    LimitReached as LimitReached,
    MediaRefused as MediaRefused,
    MisconfiguredConnection as MisconfiguredConnection,
    NoFace as NoFace,
    NotAllowed as NotAllowed,
    NotConfigured as NotConfigured,
    NotFound as NotFound,
    NothingSwapped as NothingSwapped,
    NotReady as NotReady,
    OutOfOrder as OutOfOrder,
    OutputFailed as OutputFailed,
    PolicyRefused as PolicyRefused,
    ProgramKilled as ProgramKilled,
    QuotaReached as QuotaReached,
    ReaderGone as ReaderGone,
    ResultMissing as ResultMissing,
    ServerUnreachable as ServerUnreachable,
    StorageFailed as StorageFailed,
    TakenOver as TakenOver,
    TaskEnded as TaskEnded,
    TaskNotFound as TaskNotFound,
    TaskUnsuccessful as TaskUnsuccessful,
    TimedOut as TimedOut,
    TooManyCalls as TooManyCalls,
    Unauthenticated as Unauthenticated,
    Unavailable as Unavailable,
    UnexpectedResponse as UnexpectedResponse,
    UploadInterrupted as UploadInterrupted,
    UploadNotFound as UploadNotFound,
    UploadUnfinished as UploadUnfinished,
)
from facecli.library.client import Client as Client
from facecli.library.connect import connect as connect
from facecli.library.progress import Transfer as Transfer
from facecli.library.tasks import Tasks as Tasks
from facecli.library.uploads import Uploads as Uploads
from facecli.tasks.logs.record import (
    TaskLog as TaskLog,
    TaskLogRecord as TaskLogRecord,
)
from facecli.tasks.view import TaskView as _TaskView
from facecli.uploads.view import UploadView as _UploadView

__version__: str
__all__: list[str]
Task = _TaskView
Upload = _UploadView
