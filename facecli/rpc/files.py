"""FileService: downloads, and what this server offers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import grpc

from facecli.api.admission import Admission, Slot
from facecli.api.client_address import PROXY_HEADERS, host_of_peer
from facecli.api.downloads import Downloads
from facecli.api.links import Links
from facecli.api.server_info import ServerInfo
from facecli.api.stream_deadline import StreamLimits
from facecli.core.errors import NotReady
from facecli.rpc.calls import Calls
from facecli.rpc.download_stream import DownloadStream
from facecli.wire import files as wire
from facecli.wire.generated import file_service_pb2 as pb
from facecli.wire.generated import file_service_pb2_grpc as pb_grpc


class FileServicer(pb_grpc.FileServiceServicer):
    """`info` describes the server to a user."""

    def __init__(
        self,
        downloads: Downloads,
        *,
        calls: Calls,
        info: Callable[[str], ServerInfo],
        admission: Admission,
        limits: StreamLimits,
    ) -> None:
        self._downloads = downloads
        self._calls = calls
        self._info = info
        self._admission = admission
        self._limits = limits
        self._links: Links | None = None
        self._links_base = ""
        self._streams = set[DownloadStream]()

    def Download(
        self, request: pb.DownloadRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.DownloadResponse]:
        call = self._calls.of(context)
        with (
            self._admission.acquire(call.authenticated_user) as slot,
            self._registered(context, slot) as stream,
        ):
            download = self._downloads.find(request.url, owner=call.reader(request.user_id))
            blocks = self._downloads.read(download, offset=request.offset)
            yield pb.DownloadResponse(size=download.size, crc32c=download.crc32c)
            for block in blocks:
                if not call.active():
                    return
                with stream.sending():
                    yield pb.DownloadResponse(data=block)
                call.sent(len(block))

    def CreateLink(
        self, request: pb.CreateLinkRequest, context: grpc.ServicerContext
    ) -> pb.CreateLinkResponse:
        call = self._calls.of(context)
        owner = call.reader(request.user_id)
        if self._links is None:
            raise NotReady("this server serves no HTTP, so a link would lead nowhere; start it with --http")
        path = self._downloads.find(request.url, owner=owner).url
        principal = call.caller.principal
        if principal and owner and principal.user != owner:  # an admin who acts for another user
            principal = replace(principal, user=owner, admin=False)
        link = self._links.create(path, principal=principal, expires_in=request.expires_seconds)
        return wire.link_to_message(f"{self._links_base}{link.target}", link.expires_at)

    def GetServerInfo(
        self, request: pb.GetServerInfoRequest, context: grpc.ServicerContext
    ) -> pb.GetServerInfoResponse:
        call = self._calls.of(context)
        info = self._info(call.user(request.user_id))
        if principal := call.caller.principal:
            info = replace(info, user=principal.user, admin=principal.admin)
        headers = {name for name, _ in context.invocation_metadata()}
        info = replace(
            info,
            client_address=host_of_peer(call.peer),
            proxy_address=self._calls.proxy_of(context),
            proxy_headers=tuple(sorted(headers & PROXY_HEADERS)),
            http_url=self._links_base,
        )
        return wire.info_to_message(info)

    def offer_links(self, links: Links, base: str) -> None:
        """Create links that begin with this URL, at which the server serves HTTP."""
        self._links, self._links_base = links, base

    def recheck(self) -> None:
        """End the downloads whose clients do not read."""
        for stream in tuple(self._streams):
            stream.check()

    @contextmanager
    def _registered(self, context: grpc.ServicerContext, slot: Slot) -> Iterator[DownloadStream]:
        stream = DownloadStream(context.cancel, slot, self._limits)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)
