"""Turns our errors into gRPC's, and a bug into an id that the log explains."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import grpc

from facecli.api.call_context import Requests
from facecli.core.errors import FacecliError, InternalError
from facecli.rpc.interceptors.wrapping import Guard
from facecli.wire.errors import to_status

_log = logging.getLogger(__name__)


def errors(requests: Requests) -> Guard:
    """A guard that aborts a call with what the code below raised, and the call's id.

    The client never sees a foreign error's text.
    """

    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator[None]:
        request_id = requests.of(context)
        try:
            yield
        except FacecliError as error:
            context.abort_with_status(to_status(error, request_id=request_id))
        except grpc.RpcError:
            _log.debug("%s: the client went away", method)
            # Raised on, it would be a stack in the log for everybody who hangs up.
            context.abort(grpc.StatusCode.CANCELLED, "the client went away")
        except Exception:
            if cast(Any, context).code() is not None:  # aborted already, further in
                raise
            _log.exception("%s: internal error %s", method, request_id)
            said = f"internal error {request_id}; the server's log tells more"
            bug = InternalError(said, error_id=request_id)
            context.abort_with_status(to_status(bug, request_id=request_id))

    return guard
