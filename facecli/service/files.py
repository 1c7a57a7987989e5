"""FileService: results out, and what this server offers."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import grpc

from facecli.core.downloads import Downloads
from facecli.core.server_info import ServerInfo
from facecli.service.admission import Admission
from facecli.service.callers import Callers
from facecli.wire import files as wire
from facecli.wire.generated import file_service_pb2 as pb
from facecli.wire.generated import file_service_pb2_grpc as pb_grpc


class FileService(pb_grpc.FileServiceServicer):
    def __init__(
        self,
        downloads: Downloads,
        *,
        callers: Callers,
        info: Callable[[], ServerInfo],
        admission: Admission,
    ) -> None:
        self._downloads = downloads
        self._callers = callers
        self._info = info
        self._admission = admission

    def Download(
        self, request: pb.DownloadRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.DownloadResponse]:
        caller = self._callers.of(context)
        with self._admission.place():
            found = self._downloads.find(request.url, owner=caller.reader(request.user_id))
            blocks = self._downloads.read(found, offset=request.offset)
            yield pb.DownloadResponse(size=found.size, crc32c=found.crc32c)
            for block in blocks:
                if not caller.active():
                    return
                yield pb.DownloadResponse(data=block)

    def GetServerInfo(
        self, request: pb.GetServerInfoRequest, context: grpc.ServicerContext
    ) -> pb.GetServerInfoResponse:
        info, principal = self._info(), self._callers.of(context).principal
        if principal:
            info = replace(info, user=principal.user, admin=principal.admin)
        return wire.info_to_message(info)
