"""Refusals of a server, as a foreign client sees them."""

from collections.abc import Callable

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facecli.core.errors import FacecliError
from facecli.wire.errors import from_rpc


def refused(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    """The status and the reason with which a call is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), from_rpc(caught.value, server="here:1").reason


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, FacecliError, int]:
    """The status, our error, and the retry delay in seconds, or 0."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert isinstance(caught.value, grpc.Call)
    status = rpc_status.from_call(caught.value)
    retry = error_details_pb2.RetryInfo()
    seconds = [
        retry.retry_delay.seconds for detail in (status.details if status else ()) if detail.Unpack(retry)
    ]
    return caught.value.code(), from_rpc(caught.value, server="here:1"), max(seconds, default=0)
