"""Error tree: the documented tree matches the classes, and published reasons never change."""

import inspect
import re

import pytest

from facecli.core import error_base, errors
from facecli.core.errors import FacecliError

# Scripts and foreign clients compare these words. Add lines; change none.
REASONS = {
    "FacecliError": "UNKNOWN",
    "InvalidInput": "INVALID_INPUT",
    "ChecksumMismatch": "CHECKSUM_MISMATCH",
    "MediaRefused": "MEDIA_REFUSED",
    "NoFace": "NO_FACE",
    "NothingSwapped": "NOTHING_SWAPPED",
    "OutOfOrder": "OUT_OF_ORDER",
    "NotFound": "NOT_FOUND",
    "UploadNotFound": "UPLOAD_NOT_FOUND",
    "TaskNotFound": "TASK_NOT_FOUND",
    "AlreadyExists": "ALREADY_EXISTS",
    "ChunkDiffers": "CHUNK_DIFFERS",
    "KeyReused": "KEY_REUSED",
    "NotReady": "NOT_READY",
    "NotConfigured": "NOT_CONFIGURED",
    "UploadUnfinished": "UPLOAD_UNFINISHED",
    "TaskEnded": "TASK_ENDED",
    "ResultMissing": "RESULT_MISSING",
    "TakenOver": "TAKEN_OVER",
    "LimitReached": "LIMIT_REACHED",
    "FileTooLarge": "FILE_TOO_LARGE",
    "TooManyCalls": "TOO_MANY_CALLS",
    "QuotaReached": "QUOTA_REACHED",
    "DiskFull": "DISK_FULL",
    "Unauthenticated": "UNAUTHENTICATED",
    "NotAllowed": "NOT_ALLOWED",
    "PolicyRefused": "POLICY_REFUSED",
    "Unavailable": "UNAVAILABLE",
    "ServerUnreachable": "SERVER_UNREACHABLE",
    "MisconfiguredConnection": "MISCONFIGURED_CONNECTION",
    "ProgramKilled": "PROGRAM_KILLED",
    "StorageFailed": "STORAGE_FAILED",
    "BucketUnusable": "BUCKET_UNUSABLE",
    "IdleTooLong": "IDLE_TOO_LONG",
    "BytesDiffer": "BYTES_DIFFER",
    "UnexpectedResponse": "UNEXPECTED_RESPONSE",
    "TimedOut": "TIMED_OUT",
    "UploadInterrupted": "UPLOAD_INTERRUPTED",
    "TaskUnsuccessful": "TASK_UNSUCCESSFUL",
    "FfmpegMissing": "FFMPEG_MISSING",
    "DirectoryInUse": "DIRECTORY_IN_USE",
    "Cancelled": "CANCELLED",
    "OutputFailed": "OUTPUT_FAILED",
    "ReaderGone": "READER_GONE",
    "InternalError": "INTERNAL",
}

CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind)
    and issubclass(kind, FacecliError)
    and kind.__module__.startswith("facecli.core.")
}


def drawn() -> list[tuple[str, str]]:
    """(class, parent) for every line of the tree in the docstring of error_base.py, from the top down."""
    pairs, above = [], [("", -1)]
    for line in inspect.cleandoc(error_base.__doc__ or "").splitlines():
        if found := re.match(r"([│├└─ ]*)([A-Z]\w+)(\s{2,}|$)", line):
            indent, name = len(found[1]), found[2]
            while above[-1][1] >= indent:
                above.pop()
            pairs.append((name, above[-1][0]))
            above.append((name, indent))
    return pairs


def test_the_documented_tree_shows_every_class_under_its_parent() -> None:
    real = [(name, kind.__bases__[0].__name__) for name, kind in CLASSES.items() if kind is not FacecliError]
    assert sorted(drawn()) == sorted([("FacecliError", ""), *real])


def test_reasons_are_stable_and_unique() -> None:
    assert {name: kind.reason for name, kind in CLASSES.items()} == REASONS
    assert len(set(REASONS.values())) == len(REASONS)


@pytest.mark.parametrize("reason", REASONS.values())
def test_a_reason_is_one_word_in_capitals(reason: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Z_]{0,62}", reason)  # google.rpc.ErrorInfo.reason


@pytest.mark.parametrize("kind", CLASSES.values())
def test_the_default_message_is_the_docstring(kind: type[FacecliError]) -> None:
    documented = vars(kind).get("__doc__") or ""
    assert str(kind()) == documented.splitlines()[0]
    assert documented.splitlines()[0].endswith(".")


def test_a_plug_in_error_has_its_base_class_reason() -> None:
    class NoFaceFound(errors.MediaRefused):
        pass

    class TwoFacesFound(NoFaceFound):
        reason = "TWO_FACES"

    assert (NoFaceFound.reason, TwoFacesFound.reason) == ("MEDIA_REFUSED", "MEDIA_REFUSED")
