"""FileService: results out, and what this server offers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import grpc

from facecli.api.admission import Admission, Slot
from facecli.api.authentication import Callers
from facecli.api.downloads import Downloads
from facecli.api.server_info import ServerInfo
from facecli.api.upload_pipeline import StreamLimits
from facecli.rpc.download_stream import DownloadStream
from facecli.wire import files as wire
from facecli.wire.generated import file_service_pb2 as pb
from facecli.wire.generated import file_service_pb2_grpc as pb_grpc


class FileServicer(pb_grpc.FileServiceServicer):
    def __init__(
        self,
        downloads: Downloads,
        *,
        callers: Callers,
        info: Callable[[str], ServerInfo],
        admission: Admission,
        limits: StreamLimits,
    ) -> None:
        self._downloads = downloads
        self._callers = callers
        self._info = info
        self._admission = admission
        self._limits = limits
        self._streams = set[DownloadStream]()

    def Download(
        self, request: pb.DownloadRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.DownloadResponse]:
        caller = self._callers.of(context)
        with self._admission.acquire(caller.proved) as slot, self._streaming(context, slot) as stream:
            found = self._downloads.find(request.url, owner=caller.reader(request.user_id))
            blocks = self._downloads.read(found, offset=request.offset)
            yield pb.DownloadResponse(size=found.size, crc32c=found.crc32c)
            for block in blocks:
                if not caller.active():
                    return
                with stream.taking():
                    yield pb.DownloadResponse(data=block)

    def GetServerInfo(
        self, request: pb.GetServerInfoRequest, context: grpc.ServicerContext
    ) -> pb.GetServerInfoResponse:
        caller = self._callers.of(context)
        info = self._info(caller.user(request.user_id))
        if caller.principal:
            info = replace(info, user=caller.principal.user, admin=caller.principal.admin)
        return wire.info_to_message(info)

    def recheck(self) -> None:
        """End the downloads that nobody takes."""
        for stream in tuple(self._streams):
            stream.check()

    @contextmanager
    def _streaming(self, context: grpc.ServicerContext, slot: Slot) -> Iterator[DownloadStream]:
        stream = DownloadStream(context, slot, self._limits)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)
