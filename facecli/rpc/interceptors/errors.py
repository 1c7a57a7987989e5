"""Translates errors into gRPC statuses; a bug becomes an error id that the log explains."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import grpc

from facecli.api.upload_pipeline import ConnectionLost
from facecli.core.errors import FacecliError, InternalError
from facecli.rpc.calls import Calls
from facecli.rpc.client_waits import CallEnded
from facecli.rpc.interceptors.wrapping import Guard
from facecli.wire.errors import to_status

_log = logging.getLogger(__name__)


def errors(calls: Calls) -> Guard:
    """A guard that aborts a call with the error that the code inside raised, and the call's request id.

    The text of a foreign error never reaches the client.
    """

    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator[None]:
        call = calls.of(context)
        try:
            yield
        except FacecliError as error:
            call.refuse(error)
            context.abort_with_status(to_status(error, request_id=call.request_id))
        except CallEnded:
            raise
        except (ConnectionLost, grpc.RpcError):
            _log.debug("client disconnected", extra={"method": method, "request": call.request_id})
            # Raised again, it would be a stack trace in the log for every client that disconnects.
            context.abort(grpc.StatusCode.CANCELLED, "the client disconnected")
        except Exception:
            if cast(Any, context).code() is not None:  # aborted already, further in
                raise
            _log.exception("internal error", extra={"method": method, "request": call.request_id})
            text = f"internal error {call.request_id}; see the server's log"
            bug = InternalError(text, error_id=call.request_id)
            context.abort_with_status(to_status(bug, request_id=call.request_id))

    return guard
