"""Translates errors to gRPC's rich error model and back, by one table for both directions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from facecli.core import errors
from facecli.core.damage import StoredBytesDamaged
from facecli.core.errors import FacecliError
from facecli.core.printable import bounded, escaped
from facecli.wire import responses
from facecli.wire.foreign_errors import foreign_error

DOMAIN = "facecli"
MAX_RETRY_AFTER = 3600  # seconds; a client asks again after an hour, whatever a server says
# gRPC refuses more than 8 KiB of trailing metadata. A message is there twice: percent-encoded, and in the
# status in base64, so a byte of it may take 4.4.
MAX_MESSAGE_BYTES = 1000
MAX_VALUE_BYTES = 200  # of a value in ErrorInfo, which has a few
MAX_DIGITS = 19  # of a number in the metadata of an error

Detail = TypeVar("Detail", bound=Message)

Code = grpc.StatusCode
STATUS: dict[type[FacecliError], grpc.StatusCode] = {
    errors.FacecliError: Code.UNKNOWN,
    errors.InvalidInput: Code.INVALID_ARGUMENT,
    errors.ChecksumMismatch: Code.INVALID_ARGUMENT,
    errors.MediaRefused: Code.INVALID_ARGUMENT,
    errors.NoFace: Code.INVALID_ARGUMENT,
    errors.NothingSwapped: Code.INVALID_ARGUMENT,
    errors.OutOfOrder: Code.OUT_OF_RANGE,
    errors.NotFound: Code.NOT_FOUND,
    errors.UploadNotFound: Code.NOT_FOUND,
    errors.TaskNotFound: Code.NOT_FOUND,
    errors.AlreadyExists: Code.ALREADY_EXISTS,
    errors.ChunkDiffers: Code.ALREADY_EXISTS,
    errors.KeyReused: Code.ALREADY_EXISTS,
    errors.NotReady: Code.FAILED_PRECONDITION,
    errors.NotConfigured: Code.FAILED_PRECONDITION,
    errors.UploadUnfinished: Code.FAILED_PRECONDITION,
    errors.TaskEnded: Code.FAILED_PRECONDITION,
    errors.ResultMissing: Code.FAILED_PRECONDITION,
    errors.TakenOver: Code.ABORTED,
    errors.LimitReached: Code.RESOURCE_EXHAUSTED,
    errors.FileTooLarge: Code.RESOURCE_EXHAUSTED,
    errors.TooManyCalls: Code.RESOURCE_EXHAUSTED,
    errors.QuotaReached: Code.RESOURCE_EXHAUSTED,
    errors.DiskFull: Code.RESOURCE_EXHAUSTED,
    errors.Unauthenticated: Code.UNAUTHENTICATED,
    errors.NotAllowed: Code.PERMISSION_DENIED,
    errors.PolicyRefused: Code.PERMISSION_DENIED,
    errors.Unavailable: Code.UNAVAILABLE,
    errors.ServerUnreachable: Code.UNAVAILABLE,
    errors.MisconfiguredConnection: Code.UNAVAILABLE,
    errors.ProgramKilled: Code.UNAVAILABLE,
    errors.StorageFailed: Code.UNAVAILABLE,
    errors.BucketUnusable: Code.UNAVAILABLE,
    StoredBytesDamaged: Code.DATA_LOSS,
    errors.IdleTooLong: Code.DEADLINE_EXCEEDED,
    errors.BytesDiffer: Code.DATA_LOSS,
    errors.UnexpectedResponse: Code.DATA_LOSS,
    errors.TimedOut: Code.DEADLINE_EXCEEDED,
    errors.UploadInterrupted: Code.ABORTED,
    errors.TaskUnsuccessful: Code.FAILED_PRECONDITION,
    errors.FfmpegMissing: Code.FAILED_PRECONDITION,
    errors.DirectoryInUse: Code.FAILED_PRECONDITION,
    errors.OutputFailed: Code.UNKNOWN,
    errors.ReaderGone: Code.UNKNOWN,
    errors.Cancelled: Code.CANCELLED,
    errors.InternalError: Code.INTERNAL,
}

_BY_REASON = {(kind.reason, code): kind for kind, code in STATUS.items()} | {
    (kind.reason, None): kind for kind in reversed(STATUS)
}


def to_status(error: FacecliError, *, request_id: str = "") -> grpc.Status:
    """The status of an error: code, message, ErrorInfo, RetryInfo where waiting helps, and RequestInfo."""
    # An error class of a plug-in maps to its nearest ancestor in the table.
    code = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    status = status_pb2.Status(code=code.value[0], message=_quotable(error.message, MAX_MESSAGE_BYTES))
    metadata = {name: _quotable(str(value), MAX_VALUE_BYTES) for name, value in error.details.items()}
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    status.details.append(_packed(info))
    if "retry_after" in error.details:
        delay = duration_pb2.Duration(seconds=int(error.details["retry_after"]))
        status.details.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    if request_id:
        status.details.append(_packed(error_details_pb2.RequestInfo(request_id=request_id)))
    return rpc_status.to_status(status)


def from_rpc(error: grpc.RpcError, *, server: str) -> FacecliError:
    """The error that the server raised; the nearest one for a foreign or malformed status."""
    infos = list(_details(error, error_details_pb2.ErrorInfo))
    ours = _ours(error, infos, server)
    for request in _details(error, error_details_pb2.RequestInfo):
        ours.request_id = responses.word(request.request_id)
    return ours


def _ours(error: grpc.RpcError, infos: Sequence[error_details_pb2.ErrorInfo], server: str) -> FacecliError:
    for info in infos:
        kind = _BY_REASON.get((info.reason, error.code())) or _BY_REASON.get((info.reason, None))
        if info.domain == DOMAIN and kind:
            return restored(kind, _text(error), info.metadata)
    return foreign_error(error.code(), _text(error), server=server)


def restored(kind: type[FacecliError], message: str, metadata: Mapping[str, str]) -> FacecliError:
    """Restore an error with the attributes that its class declares; other metadata is ignored."""
    details: dict[str, str | int] = {}
    for name, annotation in {**FacecliError.__annotations__, **kind.__annotations__}.items():
        value = metadata.get(name)
        if annotation is str and value is not None:
            details[name] = responses.word(value)
        elif annotation is int and value is not None and value.isdecimal() and len(value) < MAX_DIGITS:
            details[name] = min(int(value), MAX_RETRY_AFTER) if name == "retry_after" else int(value)
    return kind(message, **details)


def _details(error: grpc.RpcError, kind: Callable[[], Detail]) -> Iterator[Detail]:
    """The details of this kind in the rich error model."""
    if not isinstance(error, grpc.Call):
        return
    try:
        status = rpc_status.from_call(error)
        for detail in status.details if status else ():
            unpacked = kind()
            if detail.Unpack(unpacked):
                yield unpacked
    except (ValueError, DecodeError):
        return  # the details contradict the status, or are not protobuf


def _text(error: grpc.RpcError) -> str:
    return responses.text(error.details() or "")


def _quotable(text: str, size: int) -> str:
    """The text on one line, without control characters, and at most `size` bytes of it."""
    return bounded(escaped(text[: 2 * size]), size)


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
