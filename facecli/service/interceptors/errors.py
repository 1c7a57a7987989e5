"""Turns our errors into gRPC's, and a bug into an id that the log explains."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import grpc

from facecli.core.errors import FacecliError, InternalError
from facecli.wire.errors import to_status

_log = logging.getLogger(__name__)


@contextmanager
def errors(context: grpc.ServicerContext, method: str) -> Iterator[None]:
    """Aborts the call with what the code below raised; the client never sees a foreign error's text."""
    try:
        yield
    except FacecliError as error:
        context.abort_with_status(to_status(error))
    except grpc.RpcError:
        _log.debug("%s: the client went away", method)
        raise
    except Exception:
        if cast(Any, context).code() is not None:  # aborted already, further in
            raise
        error_id = uuid.uuid4().hex[:12]
        _log.exception("%s: internal error %s", method, error_id)
        bug = InternalError(f"internal error {error_id}; the server's log tells more", error_id=error_id)
        context.abort_with_status(to_status(bug))
