"""Client and server for an AI video face-swap service over gRPC.

    with facecli.connect(server="127.0.0.1:50051") as client:
        client.swap("face.jpg", "clip.mp4", "out.mp4")

The public modules are this one, `facecli.plugins` for engines and `facecli.testing` for tests. Every other
module may change in any release.
"""

from facecli import plugins as plugins
from facecli import testing as testing
from facecli.api.server_info import (
    ServerInfo as ServerInfo,
)
from facecli.client.transfers import (
    SentUpload as SentUpload,
)
from facecli.core.damage import (
    StoredBytesDamaged as StoredBytesDamaged,
)
from facecli.core.errors import (
    AlreadyExists as AlreadyExists,
)
from facecli.core.errors import (
    BucketUnusable as BucketUnusable,
)
from facecli.core.errors import (
    BytesDiffer as BytesDiffer,
)
from facecli.core.errors import (
    Cancelled as Cancelled,
)
from facecli.core.errors import (
    ChecksumMismatch as ChecksumMismatch,
)
from facecli.core.errors import (
    ChunkDiffers as ChunkDiffers,
)
from facecli.core.errors import (
    DirectoryInUse as DirectoryInUse,
)
from facecli.core.errors import (
    DiskFull as DiskFull,
)
from facecli.core.errors import (
    FacecliError as FacecliError,
)
from facecli.core.errors import (
    FfmpegMissing as FfmpegMissing,
)
from facecli.core.errors import (
    FileTooLarge as FileTooLarge,
)
from facecli.core.errors import (
    IdleTooLong as IdleTooLong,
)
from facecli.core.errors import (
    InternalError as InternalError,
)
from facecli.core.errors import (
    InvalidInput as InvalidInput,
)
from facecli.core.errors import (
    KeyReused as KeyReused,
)
from facecli.core.errors import (
    LimitReached as LimitReached,
)
from facecli.core.errors import (
    MediaRefused as MediaRefused,
)
from facecli.core.errors import (
    MisconfiguredConnection as MisconfiguredConnection,
)
from facecli.core.errors import (
    NoFace as NoFace,
)
from facecli.core.errors import (
    NotAllowed as NotAllowed,
)
from facecli.core.errors import (
    NotConfigured as NotConfigured,
)
from facecli.core.errors import (
    NotFound as NotFound,
)
from facecli.core.errors import (
    NothingSwapped as NothingSwapped,
)
from facecli.core.errors import (
    NotReady as NotReady,
)
from facecli.core.errors import (
    OutOfOrder as OutOfOrder,
)
from facecli.core.errors import (
    OutputFailed as OutputFailed,
)
from facecli.core.errors import (
    PolicyRefused as PolicyRefused,
)
from facecli.core.errors import (
    ProgramKilled as ProgramKilled,
)
from facecli.core.errors import (
    QuotaReached as QuotaReached,
)
from facecli.core.errors import (
    ReaderGone as ReaderGone,
)
from facecli.core.errors import (
    ResultMissing as ResultMissing,
)
from facecli.core.errors import (
    ServerUnreachable as ServerUnreachable,
)
from facecli.core.errors import (
    StorageFailed as StorageFailed,
)
from facecli.core.errors import (
    TakenOver as TakenOver,
)
from facecli.core.errors import (
    TaskEnded as TaskEnded,
)
from facecli.core.errors import (
    TaskNotFound as TaskNotFound,
)
from facecli.core.errors import (
    TaskUnsuccessful as TaskUnsuccessful,
)
from facecli.core.errors import (
    TimedOut as TimedOut,
)
from facecli.core.errors import (
    TooManyCalls as TooManyCalls,
)
from facecli.core.errors import (
    Unauthenticated as Unauthenticated,
)
from facecli.core.errors import (
    Unavailable as Unavailable,
)
from facecli.core.errors import (
    UnexpectedResponse as UnexpectedResponse,
)
from facecli.core.errors import (
    UploadInterrupted as UploadInterrupted,
)
from facecli.core.errors import (
    UploadNotFound as UploadNotFound,
)
from facecli.core.errors import (
    UploadUnfinished as UploadUnfinished,
)
from facecli.library.client import (
    Client as Client,
)
from facecli.library.connect import (
    connect as connect,
)
from facecli.library.progress import (
    Transfer as Transfer,
)
from facecli.library.tasks import (
    Tasks as Tasks,
)
from facecli.library.uploads import (
    Uploads as Uploads,
)
from facecli.tasks.logs.record import (
    TaskLog as TaskLog,
)
from facecli.tasks.logs.record import (
    TaskLogRecord as TaskLogRecord,
)
from facecli.tasks.view import TaskView as _TaskView
from facecli.uploads.view import UploadView as _UploadView

__version__: str
__all__: list[str]
Task = _TaskView
Upload = _UploadView
