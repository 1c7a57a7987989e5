"""Gives every refusal a reason, and tells the method of the call about those that it does not know of."""

from typing import Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError

from facecli.core.errors import InvalidInput, TimedOut
from facecli.web.errors import logged_bug
from facecli.web.rpc.call import RpcCall, current_call
from facecli.web.rpc.refusals import RefusedByMethod, RefusedRequest


class Reasons:
    """An interceptor of connectrpc, which sees its own errors, too."""

    async def on_start(self, context: Any) -> RpcCall:
        return current_call.get()

    async def on_end(self, call: RpcCall, context: Any, error: Exception | None) -> None:
        """Replace an error by the one that is raised here."""
        if error and not isinstance(error, RefusedByMethod) and not _is_disconnect(error):
            refused = _refused(error)
            call.fail(refused.error)
            raise refused


def _is_disconnect(error: Exception) -> bool:
    return isinstance(error, ConnectError) and error.code is Code.CANCELED


def _refused(error: Exception) -> RefusedRequest:
    if isinstance(error, RefusedRequest):
        return error
    if not isinstance(error, ConnectError):
        return RefusedRequest(logged_bug(error))
    if error.code is Code.DEADLINE_EXCEEDED:
        return RefusedRequest(TimedOut("the deadline that the client set has passed"))
    return RefusedRequest(InvalidInput(error.message), code=error.code)
