"""Refusals of the HTTP side of a call, in the form of those of its method."""

from facecli.core.errors import FacecliError
from facecli.rpc.in_process.client import CallStatus
from facecli.wire.errors import to_status


def refusal(error: FacecliError) -> CallStatus:
    status = to_status(error)
    return CallStatus.of(status.code.value[0], status.details, status.trailing_metadata or (), ())
