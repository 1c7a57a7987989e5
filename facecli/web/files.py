"""Files over HTTP: results and uploads, whole or in parts, with a token or by a signed link.

No file is ever shown as a page of this origin: it is an attachment of a harmless type that browsers must not
guess at, in a sandbox. A media element plays it nevertheless.
"""

import asyncio
import base64
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from facecli.api.admission import Admission
from facecli.api.downloads import Download, Downloads
from facecli.api.links import PARAMETER, Links
from facecli.api.stream_deadline import StreamLimits
from facecli.core.checksums import append, crc32c
from facecli.core.damage import StoredBytesDamaged
from facecli.core.errors import InvalidInput
from facecli.core.video.formats import by_file_name
from facecli.rpc.download_stream import DownloadStream
from facecli.uploads.upload import FRAME_SIZE
from facecli.web.calls import WebCall, WebCalls, query_value
from facecli.web.errors import error_response, method_not_allowed, not_found
from facecli.web.ranges import Span, etag, is_another, is_unchanged, requested_span

PREFIXES = ("/uploads", "/outputs")

_PATH = re.compile(r"/(uploads|outputs)/[0-9a-f]{32}/[^/?#]+")
_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_UNSAFE_IN_NAMES = re.compile(r"[^\w .()+-]", re.ASCII)


class FilesApp:
    """Serves the files of PREFIXES."""

    def __init__(
        self,
        calls: WebCalls,
        downloads: Downloads,
        links: Links,
        *,
        admission: Admission,
        limits: StreamLimits,
    ) -> None:
        self._calls = calls
        self._downloads = downloads
        self._links = links
        self._admission = admission
        self._limits = limits

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["raw_path"].decode("latin-1")
        if not _PATH.fullmatch(path):
            await not_found()(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            await method_not_allowed("GET", "HEAD")(scope, receive, send)
        else:
            link = query_value(scope, PARAMETER)

            async def by_link(call: WebCall) -> None:
                holder = self._links.holder(path, link)
                await call.in_thread(call.context.restore, holder)

            async def answer(call: WebCall) -> None:
                await self._answer(call, path, by_link=bool(link))

            await self._calls.run(
                scope,
                receive,
                send,
                answer,
                method="GetFile",
                changes=False,
                authenticate=by_link if link else None,
            )

    async def _answer(self, call: WebCall, path: str, *, by_link: bool) -> None:
        download = await call.in_thread(lambda: self._downloads.find(path, owner=call.context.reader()))
        tag = etag(size=download.size, crc32c=download.crc32c)
        headers = {**_headers(download, tag), **_policy(by_link=by_link)}
        if is_another(call.headers, tag):
            wrong = InvalidInput(f"the file is another version than If-Match names; this is {tag}")
            await error_response(wrong, status=412, headers={"etag": tag})(
                call.scope, call.receive, call.send
            )
            return
        if is_unchanged(call.headers, tag):
            await _start(call, 304, headers)
            await call.send({"type": "http.response.body"})
            return
        if call.scope["method"] == "HEAD":  # for which RFC 9110 defines no ranges
            await _start(call, 200, {**headers, "content-length": str(download.size)})
            await call.send({"type": "http.response.body"})
            return
        try:
            span = requested_span(call.headers, size=download.size, tag=tag)
        except ValueError:
            refusal = error_response(
                InvalidInput(f"the file has {download.size} bytes, and the range begins behind them"),
                status=416,
                headers={"content-range": f"bytes */{download.size}"},
            )
            await refusal(call.scope, call.receive, call.send)
            return
        sent = span or Span(start=0, length=download.size)
        headers["content-length"] = str(sent.length)
        if span:
            headers["content-range"] = f"bytes {span.start}-{span.start + span.length - 1}/{download.size}"
        slot = self._admission.acquire(call.context.authenticated_user, on_evict=call.abort)
        with slot as held:
            stream = DownloadStream(call.abort, held, self._limits)
            await _start(call, 206 if span else 200, headers)
            await self._send(call, download, sent, stream, verified=sent.length == download.size)

    async def _send(
        self, call: WebCall, download: Download, span: Span, stream: DownloadStream, *, verified: bool
    ) -> None:
        """Send the blocks of a span; the last one of a whole file only if its checksum is right.

        A part is sent as it is stored, like a download by gRPC from an offset: the only checksum of a result
        is that of the whole file. The client has it in Repr-Digest, for the file that it puts together.
        """
        blocks = _cut(self._downloads.read(download, offset=span.start), span.length)
        left, checksum = span.length, 0

        def next_block() -> bytes:
            call.context.active()  # ends the download once its token is revoked
            return next(blocks, b"")

        patience = self._limits.idle + (FRAME_SIZE / self._limits.min_rate if self._limits.min_rate else 0.0)
        try:
            while left and call.connected:
                block = await call.in_thread(next_block)
                left -= len(block)
                if verified:
                    checksum = append(checksum, crc32c(block), len(block))
                if not block or (verified and not left and checksum != download.crc32c):
                    raise StoredBytesDamaged(f"the stored bytes of {download.url} are damaged")
                with stream.sending():
                    await asyncio.wait_for(
                        call.send({"type": "http.response.body", "body": block, "more_body": bool(left)}),
                        patience,
                    )
                call.context.sent(len(block))
        except TimeoutError:
            call.abort()
        finally:
            await call.in_thread(blocks.close)


async def _start(call: WebCall, status: int, headers: dict[str, str]) -> None:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await call.send({"type": "http.response.start", "status": status, "headers": encoded})


def _headers(download: Download, tag: str) -> dict[str, str]:
    named = by_file_name(download.name)
    digest = base64.b64encode(download.crc32c.to_bytes(4, "big")).decode()
    return {
        "accept-ranges": "bytes",
        "content-disposition": disposition(download.name),
        "content-type": named.mime_type if named else "application/octet-stream",
        "etag": tag,
        "repr-digest": f"crc32c=:{digest}:",
    }


def _policy(*, by_link: bool) -> dict[str, str]:
    """A link is there for pages of other origins, whose media elements may show the file."""
    return {
        "cache-control": "private, no-cache",
        "content-security-policy": _POLICY,
        "cross-origin-resource-policy": "cross-origin" if by_link else "same-origin",
    }


def disposition(name: str) -> str:
    """The header that names a download, for any name (RFC 6266): in plain ASCII, then as it is."""
    plain = _UNSAFE_IN_NAMES.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _cut(blocks: Iterator[bytes], length: int) -> Any:
    """The first `length` bytes of these blocks, as a generator."""
    for block in blocks:
        yield block[:length]
        length -= len(block)
        if length <= 0:
            return
