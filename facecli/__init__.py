"""Client and server for an AI video face-swap service over gRPC.

    with facecli.connect(server="127.0.0.1:50051") as client:
        client.swap("face.jpg", "clip.mp4", "out.mp4")

The public modules are this one, `facecli.plugins` for engines and `facecli.testing` for tests. Every other
module may change in any release.
"""

__version__ = "0.1.0"

# Module → its names that are public here; "as" renames one. __init__.pyi has the same for type checkers.
_HOMES = {
    "facecli.library.connect": "connect",
    "facecli.library.client": "Client",
    "facecli.library.progress": "Transfer",
    "facecli.library.tasks": "Tasks",
    "facecli.library.uploads": "Uploads",
    "facecli.tasks.view": "TaskView as Task",
    "facecli.tasks.logs.record": "TaskLog, TaskLogRecord",
    "facecli.uploads.view": "UploadView as Upload",
    "facecli.client.transfers": "SentUpload",
    "facecli.api.server_info": "ServerInfo",
    "facecli.core.damage": "StoredBytesDamaged",
    "facecli.core.errors": (
        "AlreadyExists, BucketUnusable, BytesDiffer, Cancelled, ChecksumMismatch, ChunkDiffers, "
        "DirectoryInUse, DiskFull, FacecliError, FfmpegMissing, FileTooLarge, IdleTooLong, InternalError, "
        "InvalidInput, KeyReused, LimitReached, MediaRefused, MisconfiguredConnection, NoFace, "
        "NotAllowed, NotConfigured, NotFound, NotReady, NothingSwapped, OutOfOrder, OutputFailed, "
        "PolicyRefused, ProgramKilled, QuotaReached, ReaderGone, ResultMissing, "
        "ServerUnreachable, StorageFailed, TakenOver, TaskEnded, TaskNotFound, TaskUnsuccessful, "
        "TimedOut, TooManyCalls, Unauthenticated, Unavailable, UnexpectedResponse, "
        "UploadInterrupted, UploadNotFound, UploadUnfinished"
    ),
}
_MODULES = ("plugins", "testing")
_PUBLIC = {
    name.partition(" as ")[2] or name: (module, name.partition(" as ")[0])
    for module, names in _HOMES.items()
    for name in names.split(", ")
}

__all__ = [*_PUBLIC, *_MODULES, "__version__"]


def __getattr__(name: str) -> object:
    """Import a public name on first use: `import facecli` itself loads nothing."""
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"facecli.{name}")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'facecli' has no attribute {name!r}")
    module, original = _PUBLIC[name]
    value: object = getattr(import_module(module), original)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
