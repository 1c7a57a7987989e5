"""Calls over HTTP that are no RPCs: authentication, refusals, and the records of their ends."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from facecli.api.authentication import Authenticator, Credentials
from facecli.api.call_context import CallContext, IncomingCall
from facecli.api.client_address import peer_name
from facecli.core.errors import FacecliError, InternalError, Unauthenticated
from facecli.core.events import EventBus
from facecli.telemetry.traces.spans import NO_TRACER, TRACEPARENT, Tracer, traceparent_in
from facecli.web.errors import bug_response, error_response
from facecli.wire.errors import to_status

THREADS = 32  # for databases and disks; none of them ever waits for a client

T = TypeVar("T")
Handler = Callable[["WebCall"], Awaitable[None]]


class WebCall:
    """One request: its context, its connection, and whether its response has begun."""

    def __init__(
        self, scope: Any, receive: Any, send: Any, context: CallContext, threads: ThreadPoolExecutor
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.context = context
        self.started = False
        self._send = send
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

    @property
    def connected(self) -> bool:
        return not self.scope["state"]["connection"].transport.is_closing()

    async def send(self, message: Any) -> None:
        self.started = True
        await self._send(message)

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function that may block."""
        return await self._loop.run_in_executor(self._threads, function, *arguments)

    def abort(self) -> None:
        """End the connection at once; any thread may call it."""
        self._loop.call_soon_threadsafe(self.scope["state"]["connection"].abort)


class WebCalls:
    """Runs calls with the authentication, the events and the log of all transports."""

    def __init__(self, authenticator: Authenticator, events: EventBus, tracer: Tracer = NO_TRACER) -> None:
        self._authenticator = authenticator
        self._events = events
        self._tracer = tracer
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="web-call")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(
        self,
        scope: Any,
        receive: Any,
        send: Any,
        handle: Handler,
        *,
        method: str,
        changes: bool,
        authenticate: Callable[[WebCall], Awaitable[None]] | None = None,
    ) -> None:
        """Authenticate a request and handle it; a refusal becomes a response, or ends the connection."""
        connection = scope["state"]["connection"]
        incoming = IncomingCall(
            method=f"/http/{method}",
            changes=changes,
            peer=peer(scope),
            connected=lambda: not connection.transport.is_closing(),
            traceparent=_traceparent(scope),
        )
        context = CallContext(
            incoming, authenticator=self._authenticator, events=self._events, tracer=self._tracer
        )
        call = WebCall(scope, receive, send, context, self._threads)
        async with self._ended(call):
            await (authenticate or self._authenticate)(call)
            await handle(call)

    async def _authenticate(self, call: WebCall) -> None:
        """A token that cannot be valid takes no thread."""
        token = bearer_token(call.headers)
        names = call.scope["state"]["certificate_names"]
        if not names and self._authenticator.rejects(token):
            raise Unauthenticated
        await call.in_thread(call.context.authenticate, Credentials(token=token, certificate_names=names))

    @asynccontextmanager
    async def _ended(self, call: WebCall) -> AsyncIterator[None]:
        outcome = "CANCELLED"
        try:
            yield
            outcome = "OK" if call.connected or call.started else outcome
        except FacecliError as error:
            outcome = to_status(error).code.name
            call.context.refuse(error)
            await self._refuse(call, error_response(error, request_id=call.context.request_id))
        except Exception as bug:
            outcome = InternalError.reason
            await self._refuse(call, bug_response(bug, request_id=call.context.request_id))
        finally:
            call.context.end(outcome)

    async def _refuse(self, call: WebCall, response: Any) -> None:
        if call.started:
            call.abort()  # a client must not take half a file for a whole one
        else:
            await response(call.scope, call.receive, call.send)


def _traceparent(scope: Any) -> str:
    values = [value for name, value in scope["headers"] if name == TRACEPARENT.encode()]
    return traceparent_in({TRACEPARENT: values[0].decode("latin-1")}) if values else ""


def bearer_token(headers: dict[str, str]) -> str | None:
    scheme, _, text = headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None


def peer(scope: Any) -> str:
    """The address of the client, as gRPC writes it."""
    return peer_name(*(scope["client"] or ("unknown", 0)))


def connected_peer(scope: Any) -> str:
    """The address from which a request came: that of a trusted proxy if one passed it on."""
    return peer_name(*(scope.get("peer") or scope["client"] or ("unknown", 0)))


def query_value(scope: Any, name: str) -> str:
    """The value of a parameter in the query; empty when it is missing."""
    match = re.search(rf"(?:^|&){name}=([^&]*)", scope["query_string"].decode("latin-1"))
    return match[1] if match else ""
