"""How a server refuses, as a foreign client sees it."""

from collections.abc import Callable

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facecli.core.errors import FacecliError
from facecli.wire.errors import from_rpc


def refused(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    """The status and our reason that a call ends with."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), from_rpc(caught.value, server="here:1").reason


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, FacecliError, int]:
    """The status, our error, and the seconds after which a foreign client is told to come back, or 0."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert isinstance(caught.value, grpc.Call)
    status = rpc_status.from_call(caught.value)
    retry = error_details_pb2.RetryInfo()
    seconds = [
        retry.retry_delay.seconds for detail in (status.details if status else ()) if detail.Unpack(retry)
    ]
    return caught.value.code(), from_rpc(caught.value, server="here:1"), max(seconds, default=0)
