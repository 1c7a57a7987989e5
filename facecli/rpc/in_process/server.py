"""The server side of the in-process transport: the registered methods, with all of their interceptors.

Theory of operation: the outermost interceptor makes each method one that takes serialized messages and sends
its responses by a function, in a thread pool that the method names. So another transport only has to bring
messages, to take responses, and to say when its client is gone; it shares authentication, admission, waits
for clients, limits, audit and errors with gRPC, because they are the same objects.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import grpc
from google.protobuf.descriptor import MethodDescriptor

from facecli.core.errors import InternalError
from facecli.rpc.in_process.client import CallClient, CallHeaders
from facecli.rpc.in_process.context import Aborted, InProcessContext
from facecli.rpc.interceptors.wrapping import pool_of
from facecli.rpc.request_stream import end_call
from facecli.rpc.thread_pools import CallPool

_log = logging.getLogger(__name__)


class _Details(NamedTuple):
    """gRPC's HandlerCallDetails."""

    method: str
    invocation_metadata: Sequence[tuple[str, str]]


class InProcessServer:
    """Stands in for grpc.Server where servicers are registered, and passes them on to it."""

    def __init__(
        self, server: grpc.Server, interceptors: Sequence[grpc.ServerInterceptor], background: CallPool
    ) -> None:
        self._server = server
        self._interceptors = interceptors
        self._background = background
        self._handlers: dict[str, Any] = {}

    @property
    def registry(self) -> Any:
        """This server, typed as what the generated code registers servicers with."""
        return self

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        self._server.add_registered_method_handlers(service, handlers)
        self._handlers |= {f"/{service}/{name}": handler for name, handler in handlers.items()}

    def call(self, headers: CallHeaders, client: CallClient) -> Callable[[], None]:
        """Start a call and return at once; returns the function that says that the client is gone.

        The path is that of a registered method. A call that is certain to be refused ends at once.
        """
        context = InProcessContext(headers, client, self._background.submit)
        handler = self._intercepted(_Details(headers.path, headers.metadata))
        behaviour = handler.stream_stream
        pool_of(behaviour).submit(_run, behaviour, context)
        return context.disconnect

    def _intercepted(self, details: _Details) -> Any:
        def registered(details: _Details) -> Any:
            return self._handlers.get(details.method)

        continuation: Callable[[Any], Any] = registered
        for interceptor in reversed(self._interceptors):
            continuation = partial(interceptor.intercept_service, continuation)
        return continuation(details)


def _run(behaviour: Callable[..., Any], context: InProcessContext) -> None:
    try:
        behaviour(context.messages(), context, context.send)
    except Aborted:
        context.end()
    except BaseException:
        _log.exception("in-process call failed")
        end_call(context, context.send, InternalError("internal error; see the server's log"))
        raise


def methods_of(*files: Any) -> Mapping[str, MethodDescriptor]:
    """The methods in these generated modules, by path."""
    return {
        f"/{service.full_name}/{method.name}": method
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
