"""FileService: downloads, and what this server offers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import grpc

from facecli.api.admission import Admission, Slot
from facecli.api.downloads import Downloads
from facecli.api.server_info import ServerInfo
from facecli.api.upload_pipeline import StreamLimits
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

    def GetServerInfo(
        self, request: pb.GetServerInfoRequest, context: grpc.ServicerContext
    ) -> pb.GetServerInfoResponse:
        call = self._calls.of(context)
        info = self._info(call.user(request.user_id))
        if principal := call.caller.principal:
            info = replace(info, user=principal.user, admin=principal.admin)
        return wire.info_to_message(info)

    def recheck(self) -> None:
        """End the downloads whose clients do not read."""
        for stream in tuple(self._streams):
            stream.check()

    @contextmanager
    def _registered(self, context: grpc.ServicerContext, slot: Slot) -> Iterator[DownloadStream]:
        stream = DownloadStream(context, slot, self._limits)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)
