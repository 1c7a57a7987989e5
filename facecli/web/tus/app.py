"""The tus endpoint: creation, core, checksum, expiration and termination of uploads by offset."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from facecli.api.admission import Admission
from facecli.api.offset_uploads import OffsetUploads, StoredUpload
from facecli.core.errors import ChecksumMismatch, FacecliError, FileTooLarge, InvalidInput, OutOfOrder
from facecli.uploads.service import UploadService
from facecli.web.calls import WebCall, WebCalls
from facecli.web.errors import error_response, method_not_allowed, not_found
from facecli.web.tus import headers as tus
from facecli.web.tus.body import BodyReader, checked_body

PREFIX = "/files"
CHECKSUM_MISMATCH = 460  # the status that tus defines

_PATH = re.compile(r"/files/([0-9a-f]{32})")
_NAMES = {
    "POST": "CreateTusUpload",
    "HEAD": "GetTusUpload",
    "PATCH": "AppendTusUpload",
    "DELETE": "CancelTusUpload",
}


class TusApp:
    """`max_file_size` is in bytes."""

    def __init__(
        self,
        calls: WebCalls,
        upload_service: UploadService,
        offset_uploads: OffsetUploads,
        *,
        admission: Admission,
        max_file_size: int,
    ) -> None:
        self._calls = calls
        self._upload_service = upload_service
        self._offset_uploads = offset_uploads
        self._admission = admission
        self._max_file_size = max_file_size
        self._threads = ThreadPoolExecutor(2 * admission.limit, thread_name_prefix="tus")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        send = _with_version(send)
        sent = {name: value.decode("latin-1") for name, value in scope["headers"]}
        method = sent.get(b"x-http-method-override", scope["method"]).upper()
        is_root = scope["path"].rstrip("/") == PREFIX
        match = _PATH.fullmatch(scope["path"])
        allowed = ("POST", "OPTIONS") if is_root else ("HEAD", "PATCH", "DELETE", "OPTIONS")
        if not match and not is_root:
            await not_found()(scope, receive, send)
        elif method not in allowed:
            await method_not_allowed(*allowed)(scope, receive, send)
        elif method == "OPTIONS":
            await self._describe(send)
        elif sent.get(b"tus-resumable", "") != tus.VERSION:
            refusal = InvalidInput(f"this server speaks tus {tus.VERSION}; send Tus-Resumable: {tus.VERSION}")
            response = error_response(refusal, status=412, headers={"tus-version": tus.VERSION})
            await response(scope, receive, send)
        else:
            await self._call(scope, receive, send, method, match[1] if match else "")

    async def _call(self, scope: Any, receive: Any, send: Any, method: str, upload_id: str) -> None:
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
                await error_response(error, status=CHECKSUM_MISMATCH)(call.scope, call.receive, call.send)

        await self._calls.run(scope, receive, send, handle, method=_NAMES[method], changes=method != "HEAD")

    async def _describe(self, send: Any) -> None:
        headers = {
            "tus-version": tus.VERSION,
            "tus-extension": tus.EXTENSIONS,
            "tus-max-size": str(self._max_file_size),
            "tus-checksum-algorithm": ",".join(tus.CHECKSUMS),
        }
        await _respond(send, 204, headers)

    async def _create(self, call: WebCall) -> None:
        size = tus.announced_size(call.headers)
        if size is not None and size > self._max_file_size:
            raise FileTooLarge(f"{size} bytes are more than the limit of this server, {self._max_file_size}")
        name, file_type = tus.name_and_type(tus.metadata(call.headers))
        owner = call.context.user("")
        stored = await call.in_thread(
            lambda: self._offset_uploads.begin(owner=owner, name=name, file_type=file_type, size=size)
        )
        call.context.concerns("upload", stored.upload.id)
        if call.headers.get("content-type") == tus.CONTENT_TYPE:
            stored = await self._append_first(call, stored)
        location = {"location": f"{PREFIX}/{stored.upload.id}"}
        await _respond(call.send, 201, {**tus.state(stored), **location})

    async def _append_first(self, call: WebCall, created: StoredUpload) -> StoredUpload:
        """Store what comes with the creation. A refusal deletes the upload: its client never learns of it."""
        try:
            return await self._append(call, created)
        except FacecliError:
            with suppress(FacecliError):
                upload = created.upload
                await call.in_thread(lambda: self._upload_service.cancel(upload.id, owner=upload.owner))
            raise

    async def _head(self, call: WebCall, upload_id: str) -> None:
        stored = await self._found(call, upload_id)
        await _respond(call.send, 200, {**tus.state(stored), **tus.described(stored.upload)})

    async def _patch(self, call: WebCall, upload_id: str) -> None:
        if call.headers.get("content-type") != tus.CONTENT_TYPE:
            refusal = error_response(InvalidInput(f"PATCH takes {tus.CONTENT_TYPE}"), status=415)
            await refusal(call.scope, call.receive, call.send)
            return
        wanted = tus.number(call.headers, "Upload-Offset")
        stored = await self._found(call, upload_id)
        if wanted != stored.offset:
            raise OutOfOrder(
                f"the next byte of {stored.upload.name} is {stored.offset}, not {wanted}; ask with HEAD",
                next_chunk_index=stored.offset // stored.upload.chunk_size,
            )
        if "upload-length" in call.headers:
            size = tus.number(call.headers, "Upload-Length")
            known = stored
            stored = await call.in_thread(lambda: self._offset_uploads.fix_size(known, size))
        await _respond(call.send, 204, tus.state(await self._append(call, stored)))

    async def _delete(self, call: WebCall, upload_id: str) -> None:
        owner = call.context.user("")
        await call.in_thread(lambda: self._upload_service.cancel(upload_id, owner=owner))
        await _respond(call.send, 204, {})

    async def _found(self, call: WebCall, upload_id: str) -> StoredUpload:
        owner = call.context.user("")
        return await call.in_thread(lambda: self._offset_uploads.find(upload_id, owner=owner))

    async def _append(self, call: WebCall, stored: StoredUpload) -> StoredUpload:
        """Store the body of a request, and return the state afterwards; for nobody if the client is gone."""
        size, announced = stored.upload.size, call.headers.get("content-length", "")
        if (
            size is not None
            and announced.isdigit()
            and int(announced[: tus.MAX_DIGITS]) > size - stored.offset
        ):
            raise FileTooLarge(
                f"{stored.upload.name} has {size} bytes; {announced[:20]} more than {stored.offset} go beyond"
            )
        checksum = tus.checksum(call.headers)
        reader = BodyReader(call)
        with self._admission.acquire(call.context.authenticated_user) as slot:
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads,
                    lambda: self._offset_uploads.append(
                        call.context, stored, checked_body(reader, checksum), slot
                    ),
                )
            finally:
                reader.close()


def _with_version(send: Any) -> Any:
    """Add the version of tus to every response."""

    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start":
            version = (b"tus-resumable", tus.VERSION.encode())
            message = {**message, "headers": [*message["headers"], version]}
        await send(message)

    return sent


async def _respond(send: Any, status: int, headers: dict[str, str]) -> None:
    if status != 204:
        headers = {**headers, "content-length": "0"}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body"})
