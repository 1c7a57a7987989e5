"""The gRPC edge of the call context: opens one per call and finds it again by gRPC's own context."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import grpc

from facecli.api.authentication import Authenticator, Credentials
from facecli.api.call_context import CallContext, IncomingCall
from facecli.api.client_address import TrustedProxies, host_of_peer
from facecli.core.events import EventBus
from facecli.rpc.methods import method_of
from facecli.telemetry.traces.spans import NO_TRACER, Tracer, traceparent_in

NOTIFY_URL = "facecli-notify-url"  # metadata; of a webhook for the end of a task


class Calls:
    """The contexts of all calls in progress. Safe to use from many threads."""

    def __init__(
        self,
        authenticator: Authenticator,
        events: EventBus,
        proxies: TrustedProxies | None = None,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._authenticator = authenticator
        self._events = events
        self._proxies = proxies or TrustedProxies()
        self._tracer = tracer
        self._open: dict[grpc.ServicerContext, CallContext] = {}

    @contextmanager
    def opened(self, context: grpc.ServicerContext, method: str) -> Iterator[None]:
        """The outermost guard of a call; publishes its end."""
        incoming = IncomingCall(
            method=method,
            changes=method_of(method).changes,
            peer=self.peer_of(context),
            connected=context.is_active,
            traceparent=traceparent_in(dict(context.invocation_metadata())),
        )
        call = CallContext(
            incoming, authenticator=self._authenticator, events=self._events, tracer=self._tracer
        )
        self._open[context] = call
        try:
            yield
        finally:
            call.end(_outcome(context))
            del self._open[context]

    def of(self, context: grpc.ServicerContext) -> CallContext:
        return self._open[context]

    def peer_of(self, context: grpc.ServicerContext) -> str:
        """The address of the client, also behind a trusted proxy."""
        return self._proxies.peer(context.peer(), context.invocation_metadata())

    def proxy_of(self, context: grpc.ServicerContext) -> str:
        """The trusted proxy that a call came through, which names clients by a header; empty without."""
        host = host_of_peer(context.peer())
        return host if self._proxies.reads_header_of(host) else ""


def bearer_token(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """The bearer token in the metadata of a call."""
    scheme, _, text = str(dict(metadata).get("authorization", "")).partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None


def credentials_of(context: grpc.ServicerContext) -> Credentials:
    """The bearer token and the names of the verified certificate that a client presented."""
    if (token := bearer_token(context.invocation_metadata())) is not None:
        return Credentials(token=token)
    # gRPC fills these in only after it verified the certificate against our authority.
    verified = context.auth_context()
    names = (*verified.get("x509_common_name", ()), *verified.get("x509_subject_alternative_name", ()))
    return Credentials(certificate_names=tuple(bytes(name) for name in names))


def _outcome(context: grpc.ServicerContext) -> str:
    """The name of the status with which a call ended."""
    implied = grpc.StatusCode.OK if context.is_active() else grpc.StatusCode.CANCELLED
    code = context.code() or implied  # type: ignore[attr-defined]  # missing in types-grpcio
    return code.name if isinstance(code, grpc.StatusCode) else str(code)


def notify_url_of(context: grpc.ServicerContext) -> str:
    """The URL of a webhook in the metadata of a call; empty without."""
    return str(dict(context.invocation_metadata()).get(NOTIFY_URL, ""))
