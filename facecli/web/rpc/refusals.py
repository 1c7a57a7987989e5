"""Refusals of a call, in the form in which connectrpc sends them."""

from connectrpc.code import Code
from connectrpc.errors import ConnectError, ErrorDetail
from protobuf.wkt import Any as AnyMessage

from facecli.core.errors import FacecliError
from facecli.rpc.in_process.client import CallStatus
from facecli.wire.errors import to_status

CODES = (
    None,
    Code.CANCELED,
    Code.UNKNOWN,
    Code.INVALID_ARGUMENT,
    Code.DEADLINE_EXCEEDED,
    Code.NOT_FOUND,
    Code.ALREADY_EXISTS,
    Code.PERMISSION_DENIED,
    Code.RESOURCE_EXHAUSTED,
    Code.FAILED_PRECONDITION,
    Code.ABORTED,
    Code.OUT_OF_RANGE,
    Code.UNIMPLEMENTED,
    Code.INTERNAL,
    Code.UNAVAILABLE,
    Code.DATA_LOSS,
    Code.UNAUTHENTICATED,
)  # by gRPC's number


class RefusedByMethod(ConnectError):
    """The status with which the method ended its call."""

    def __init__(self, status: CallStatus) -> None:
        super().__init__(_code(status), status.message, details=_details(status))


class RefusedRequest(ConnectError):
    """A request that the HTTP side of a call refuses; `code` replaces that of the error."""

    def __init__(self, error: FacecliError, *, code: Code | None = None) -> None:
        ended = to_status(error)
        status = CallStatus.of(ended.code.value[0], ended.details, ended.trailing_metadata or (), ())
        super().__init__(code or _code(status), status.message, details=_details(status))
        self.error = error


def _code(status: CallStatus) -> Code:
    return CODES[status.code] or Code.UNKNOWN


def _details(status: CallStatus) -> list[ErrorDetail]:
    return [ErrorDetail(AnyMessage(type_url=kind, value=value)) for kind, value in status.details]
