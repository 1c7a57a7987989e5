"""The tus endpoint: creation, core, checksum, expiration and termination.

An offset that was answered is durable, because only whole chunks count, and each is flushed and committed
before it does. So a PATCH that ends within a chunk is answered with the end of the chunk before, and the
client sends the rest again; TUS_CHUNK is small for that reason.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from facecli.api.admission import Admission, Slot
from facecli.api.upload_pipeline import ConnectionLost, StreamLimits, UploadPipeline
from facecli.api.upload_session import UploadFrame, UploadSession
from facecli.core.errors import ChecksumMismatch, FileTooLarge, InvalidInput, OutOfOrder
from facecli.uploads.committer import WrittenChunk
from facecli.uploads.service import UploadService
from facecli.uploads.upload import FRAME_SIZE, NewUpload, Upload
from facecli.web.calls import WebCall, WebCalls
from facecli.web.errors import error_response, method_not_allowed, not_found
from facecli.web.tus import headers as tus
from facecli.web.tus.body import BodyReader, FrameItem, frames

PREFIX = "/files"
TUS_CHUNK = 256 * 1024  # bytes; 20 GiB are 82,000 chunks
MAX_CHECKED_BODY = 16 * 1024 * 1024  # bytes; a body with a checksum is held in memory until it is verified
CHECKSUM_MISMATCH = 460  # the status that tus defines

_PATH = re.compile(r"/files/([0-9a-f]{32})")
_METHODS = ("HEAD", "PATCH", "DELETE", "OPTIONS")


class TusApp:
    """`max_file_size` is in bytes."""

    def __init__(
        self,
        calls: WebCalls,
        upload_service: UploadService,
        *,
        admission: Admission,
        limits: StreamLimits,
        max_file_size: int,
    ) -> None:
        self._calls = calls
        self._upload_service = upload_service
        self._admission = admission
        self._limits = limits
        self._max_file_size = max_file_size
        self._threads = ThreadPoolExecutor(2 * admission.limit, thread_name_prefix="tus")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path, sent = scope["path"], dict(scope["headers"])
        method = sent.get(b"x-http-method-override", scope["method"].encode()).decode("latin-1").upper()
        match = _PATH.fullmatch(path)
        is_root = path.rstrip("/") == PREFIX
        if not match and not is_root:
            await not_found()(scope, receive, send)
        elif method == "OPTIONS":
            await self._describe(send)
        elif method not in (("POST",) if is_root else _METHODS):
            allowed = ("POST", "OPTIONS") if is_root else _METHODS
            await method_not_allowed(*allowed)(scope, receive, send)
        elif sent.get(b"tus-resumable", b"").decode("latin-1") != tus.VERSION:
            refusal = InvalidInput(f"this server speaks tus {tus.VERSION}; send Tus-Resumable: {tus.VERSION}")
            response = error_response(refusal, status=412, headers={"tus-version": tus.VERSION})
            await response(scope, receive, send)
        else:
            upload_id = match[1] if match else ""
            handlers: dict[str, Callable[[WebCall], Any]] = {
                "POST": self._create,
                "HEAD": lambda call: self._head(call, upload_id),
                "PATCH": lambda call: self._patch(call, upload_id),
                "DELETE": lambda call: self._delete(call, upload_id),
            }

            async def handle(call: WebCall) -> None:
                call.context.concerns("upload", upload_id)
                try:
                    await handlers[method](call)
                except ChecksumMismatch as error:
                    call.context.refuse(error)
                    response = error_response(
                        error, status=CHECKSUM_MISMATCH, headers={"tus-resumable": tus.VERSION}
                    )
                    await response(call.scope, call.receive, call.send)

            name = {"POST": "Create", "HEAD": "Get", "PATCH": "Append", "DELETE": "Cancel"}[method]
            await self._calls.run(
                scope, receive, send, handle, method=f"{name}TusUpload", changes=method != "HEAD"
            )

    async def _describe(self, send: Any) -> None:
        headers = {
            "tus-version": tus.VERSION,
            "tus-extension": tus.EXTENSIONS,
            "tus-max-size": str(self._max_file_size),
            "tus-checksum-algorithm": ",".join(tus.CHECKSUMS),
        }
        await _respond(send, 204, headers)

    async def _create(self, call: WebCall) -> None:
        if "upload-defer-length" in call.headers:
            raise InvalidInput("this server needs Upload-Length when an upload is created")
        size = tus.number(call.headers, "Upload-Length")
        name, file_type = tus.name_and_type(tus.metadata(call.headers))
        new = NewUpload.checked(
            owner=call.context.user(""), name=name, file_type=file_type, size=size, chunk_size=TUS_CHUNK
        )
        upload, _ = await call.in_thread(lambda: self._upload_service.begin(new, fresh=True))
        call.context.concerns("upload", upload.id)
        offset = 0
        if call.headers.get("content-type") == tus.CONTENT_TYPE:
            upload, offset = await self._append(call, upload, 0)
        state = {**tus.state(upload, offset), "location": f"{PREFIX}/{upload.id}"}
        await _respond(call.send, 201, state)

    async def _head(self, call: WebCall, upload_id: str) -> None:
        upload, offset = await self._found(call, upload_id)
        await _respond(call.send, 200, tus.state(upload, offset))

    async def _patch(self, call: WebCall, upload_id: str) -> None:
        if call.headers.get("content-type") != tus.CONTENT_TYPE:
            refusal = error_response(InvalidInput(f"PATCH takes {tus.CONTENT_TYPE}"), status=415)
            await refusal(call.scope, call.receive, call.send)
            return
        wanted = tus.number(call.headers, "Upload-Offset")
        upload, offset = await self._found(call, upload_id)
        if wanted != offset:
            raise OutOfOrder(
                f"the next byte of {upload.name} is {offset}, not {wanted}; ask for it with HEAD",
                next_chunk_index=offset // upload.chunk_size,
            )
        upload, offset = await self._append(call, upload, offset)
        await _respond(call.send, 204, tus.state(upload, offset))

    async def _delete(self, call: WebCall, upload_id: str) -> None:
        owner = call.context.user("")
        await call.in_thread(lambda: self._upload_service.cancel(upload_id, owner=owner))
        await _respond(call.send, 204, {})

    async def _found(self, call: WebCall, upload_id: str) -> tuple[Upload, int]:
        """An upload of the caller, and the number of bytes from its beginning that are durable."""
        owner = call.context.user("")
        return await call.in_thread(lambda: self._upload_service.stored_prefix(upload_id, owner=owner))

    async def _append(self, call: WebCall, upload: Upload, offset: int) -> tuple[Upload, int]:
        """Store the body of a request from this offset on; the upload and its offset then."""
        announced = call.headers.get("content-length", "")
        if announced.isdigit() and int(announced[: tus.MAX_DIGITS]) > (upload.size or 0) - offset:
            raise FileTooLarge(f"the body of {announced[:20]} bytes goes beyond the end of {upload.name}")
        checksum = tus.checksum(call.headers)
        with self._admission.acquire(call.context.authenticated_user) as slot:
            body = BodyReader(call)
            try:
                received = await asyncio.get_running_loop().run_in_executor(
                    self._threads, lambda: self._store(call, upload, offset, body, slot, checksum)
                )
            except ConnectionLost:
                call.abort()
                received = 0
            finally:
                body.close()
        after, stored = await self._found(call, upload.id)
        if received and stored == offset and not after.completed:
            raise InvalidInput(f"send at least {upload.chunk_size} bytes in every PATCH but the last one")
        return after, stored

    def _store(
        self,
        call: WebCall,
        upload: Upload,
        offset: int,
        body: BodyReader,
        slot: Slot,
        checksum: tus.Checksum | None,
    ) -> int:
        """Run the stages of an upload until the body ends; the number of bytes that arrived."""
        received = 0

        def counted(parts: Any) -> Any:
            nonlocal received
            for part in parts:
                received += len(part)
                yield part

        with UploadSession(self._upload_service, call.context) as session:

            def write(item: FrameItem) -> WrittenChunk | None:
                return session.write(UploadFrame(upload_id=upload.id, user="", frame=item.frame))

            parts = counted(body if checksum is None else _verified(body, checksum))
            pipeline = UploadPipeline(
                frames(parts, offset=offset, chunk_size=upload.chunk_size),
                write,
                limits=self._limits,
                active=call.context.active,
                first=FRAME_SIZE,
                slot=slot,
            )
            for _ in pipeline.run(session.store):
                pass
        return received


def _verified(parts: Any, checksum: tus.Checksum) -> Any:
    """The parts of a body, once all of it is there and its checksum is right."""
    held = bytearray()
    for part in parts:
        held += part
        if len(held) > MAX_CHECKED_BODY:
            raise FileTooLarge(
                f"a body with Upload-Checksum has at most {MAX_CHECKED_BODY} bytes; send it in parts"
            )
    if not checksum.fits(bytes(held)):
        raise ChecksumMismatch("the body does not match its Upload-Checksum and was discarded; send it again")
    yield bytes(held)


async def _respond(send: Any, status: int, headers: dict[str, str]) -> None:
    named = {**headers, "tus-resumable": tus.VERSION}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body"})
