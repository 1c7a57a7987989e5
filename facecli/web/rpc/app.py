"""The RPC services as an ASGI application."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.server import ConnectASGIApplication, Endpoint
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from facecli.api.stream_deadline import MinRateDeadline, StreamLimits
from facecli.core.errors import InvalidInput
from facecli.rpc.in_process.client import CallHeaders
from facecli.rpc.in_process.server import InProcessServer, methods_of
from facecli.rpc.methods import method_of
from facecli.web.calls import connected_peer
from facecli.web.errors import error_response, method_not_allowed, not_found
from facecli.web.rpc.body import CallBody, Receive, decoded_base64, encoded_base64, whole
from facecli.web.rpc.call import RpcCall, current_call
from facecli.web.rpc.encoding import Encoding, PassThrough, content_types, decoder, encoder
from facecli.web.rpc.reasons import Reasons
from facecli.wire.channel import MAX_MESSAGE_SIZE
from facecli.wire.generated import file_service_pb2, task_service_pb2, upload_service_pb2, video_service_pb2

SERVICES = (video_service_pb2, upload_service_pb2, task_service_pb2, file_service_pb2)
METHODS = methods_of(*SERVICES)

# What connectrpc would take for a bug of ours, or refuse without a reason.
_FORMS = {
    b"connect-protocol-version": (rb"1", "must be 1"),
    b"connect-timeout-ms": (rb"[0-9]{1,10}", "is not a time in milliseconds"),
    b"grpc-timeout": (rb"[0-9]{1,8}[HMSmun]", "is not a time such as 10S"),
}

_STREAM_TYPES = {
    (False, False): StreamType.UNARY,
    (True, False): StreamType.CLIENT_STREAM,
    (False, True): StreamType.SERVER_STREAM,
    (True, True): StreamType.BIDI_STREAM,
}


class RpcApp:
    """Serves each method of the gRPC server at its path."""

    def __init__(self, server: InProcessServer, limits: StreamLimits) -> None:
        self._server = server
        self._limits = limits
        self._connect = _ConnectApp()

    @property
    def prefixes(self) -> list[str]:
        """The paths of the services."""
        return sorted({path.rpartition("/")[0] for path in METHODS})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        method = METHODS.get(path)
        if method is None:
            await not_found()(scope, receive, send)
            return
        if scope["method"] != "POST":
            await method_not_allowed("POST")(scope, receive, send)
            return
        headers = dict(scope["headers"])
        kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        accepted = content_types(method)
        if kind not in accepted:
            text = f"{method.name} takes no {kind or 'request without a content type'}"
            await error_response(
                InvalidInput(text), status=415, headers={"accept-post": ", ".join(accepted)}
            )(scope, receive, send)
            return
        if unusable := _unusable(scope["headers"]):
            await error_response(InvalidInput(unusable))(scope, receive, send)
            return
        await self._call(scope, receive, send, method, accepted[kind])

    async def _call(
        self, scope: Any, receive: Receive, send: Any, method: MethodDescriptor, encoding: Encoding
    ) -> None:
        path, state = scope["path"], scope["state"]
        largest = method_of(path).largest_request
        call = RpcCall(
            decode=decoder(encoding, method), encode=encoder(encoding), cut=state["connection"].abort
        )
        deadline = MinRateDeadline(idle=self._limits.idle, min_rate=self._limits.min_rate, first=0)
        body = CallBody(
            receive,
            call,
            deadline,
            largest=None if method.client_streaming else encoding.largest_body(largest),
            too_large=f"a request of {method.name} has at most {largest} bytes",
        )
        disconnected = self._server.call(_call_headers(scope), call)
        current_call.set(call)
        scope = {**scope, "headers": _with_content_type(scope["headers"], encoding)}
        try:
            receive = decoded_base64(body) if encoding.text else body
            if not method.client_streaming:
                receive = whole(receive)
            await self._connect(scope, receive, encoded_base64(send) if encoding.text else send)
        finally:
            body.close()
            disconnected()
            call.close()


class _ConnectApp(ConnectASGIApplication[None]):
    def __init__(self) -> None:
        # Without compression: a small body could become a large message.
        super().__init__(
            service=None,
            endpoints=_endpoints,
            read_max_bytes=MAX_MESSAGE_SIZE * 3 // 2,
            compressions=(),
            codecs=[PassThrough("proto"), PassThrough("json")],
            interceptors=[Reasons()],
        )

    @property
    def path(self) -> str:
        return "/"


def _endpoints(_: None) -> Mapping[str, Any]:
    return {path: _endpoint(method) for path, method in METHODS.items()}


def _endpoint(method: MethodDescriptor) -> Any:
    info: MethodInfo[Any, Any] = MethodInfo(
        name=method.name,
        service_name=method.containing_service.full_name,
        input=GetMessageClass(method.input_type),
        output=GetMessageClass(method.output_type),
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=_STREAM_TYPES[method.client_streaming, method.server_streaming],
    )
    match method.client_streaming, method.server_streaming:
        case False, False:
            return Endpoint.unary(info, lambda request, context: _only(_run(_one(request), context)))
        case True, False:
            return Endpoint.client_stream(info, lambda requests, context: _only(_run(requests, context)))
        case False, True:
            return Endpoint.server_stream(info, lambda request, context: _run(_one(request), context))
    return Endpoint.bidi_stream(info, _run)


async def _one(request: bytes) -> AsyncIterator[bytes]:
    yield request


async def _only(responses: AsyncIterator[bytes]) -> bytes:
    """The only response; the call has ended when this returns."""
    found = [response async for response in responses]
    return found[0]


async def _run(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    """The responses of the call that the request under way is."""
    call = current_call.get()
    feeding = call.feed_all(requests)
    try:
        async for response in call.responses():
            yield response
    finally:
        feeding.cancel()
        for name, value in call.status.initial_metadata if call.status else ():
            context.response_headers[name] = value


def _unusable(headers: list[tuple[bytes, bytes]]) -> str:
    """Says what is wrong with the headers of a call; empty if nothing is."""
    for name, value in headers:
        if not value.isascii():
            return f"the header {name.decode('latin-1')} is not ASCII"
        if name in _FORMS:
            form, expected = _FORMS[name]
            if not re.fullmatch(form, value):
                return f"the header {name.decode()} {expected}"
    return ""


def _call_headers(scope: Any) -> CallHeaders:
    return CallHeaders(
        path=scope["path"],
        metadata=[(name.decode(), value.decode()) for name, value in scope["headers"]],
        peer=connected_peer(scope),  # the interceptors read the headers of proxies themselves
        certificate_names=scope["state"]["certificate_names"],
    )


def _with_content_type(headers: list[tuple[bytes, bytes]], encoding: Encoding) -> list[tuple[bytes, bytes]]:
    """The headers with the content type as connectrpc compares it."""
    others = [(name, value) for name, value in headers if name not in {b"content-type", b"content-length"}]
    return [*others, (b"content-type", encoding.content_type.encode())]
