"""FileService: results out, and what this server offers."""

from collections.abc import Callable, Iterator

import grpc

from facecli.core.downloads import Downloads
from facecli.core.server_info import ServerInfo
from facecli.service.admission import Admission
from facecli.wire import files as wire
from facecli.wire.generated import file_service_pb2 as pb
from facecli.wire.generated import file_service_pb2_grpc as pb_grpc


class FileService(pb_grpc.FileServiceServicer):
    def __init__(self, downloads: Downloads, *, info: Callable[[], ServerInfo], admission: Admission) -> None:
        self._downloads = downloads
        self._info = info
        self._admission = admission

    def Download(
        self, request: pb.DownloadRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.DownloadResponse]:
        with self._admission.place():
            # As with GetTaskStatus, an id that nobody can guess is enough for who names no user.
            found = self._downloads.find(request.url, owner=request.user_id or None)
            blocks = self._downloads.read(found, offset=request.offset)
            yield pb.DownloadResponse(size=found.size, crc32c=found.crc32c)
            for block in blocks:
                yield pb.DownloadResponse(data=block)

    def GetServerInfo(
        self, request: pb.GetServerInfoRequest, context: grpc.ServicerContext
    ) -> pb.GetServerInfoResponse:
        return wire.info_to_message(self._info())
