"""A complete server in this process, without workers, and stubs to call it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.bootstrap.tokens import tokens
from facecli.certificates import DevCertificates, make_dev_certificates
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.core.checksums import crc32c
from facecli.media.ffmpeg import FfmpegMedia
from facecli.wire.generated import (
    file_service_pb2_grpc,
    task_service_pb2_grpc,
    upload_service_pb2,
    upload_service_pb2_grpc,
    video_service_pb2,
    video_service_pb2_grpc,
)

if TYPE_CHECKING:
    from tests.support.rpc.statuses import RunningServer

Serve = Callable[..., "AbstractContextManager[RunningServer]"]


@dataclass(frozen=True)
class Stubs:
    channel: grpc.Channel

    @property
    def videos(self) -> video_service_pb2_grpc.VideoServiceStub:
        return video_service_pb2_grpc.VideoServiceStub(self.channel)

    @property
    def uploads(self) -> upload_service_pb2_grpc.UploadServiceStub:
        return upload_service_pb2_grpc.UploadServiceStub(self.channel)

    @property
    def tasks(self) -> task_service_pb2_grpc.TaskServiceStub:
        return task_service_pb2_grpc.TaskServiceStub(self.channel)

    @property
    def files(self) -> file_service_pb2_grpc.FileServiceStub:
        return file_service_pb2_grpc.FileServiceStub(self.channel)

    def begin(self, *, size: int = 10, chunk_size: int = 4, user: str = "ann", **more: object) -> str:
        """A new upload's id."""
        request = upload_service_pb2.BeginUploadRequest(
            user_id=user, name="clip.mp4", file_type="video", size=size, chunk_size=chunk_size, fresh=True
        )
        return self.uploads.BeginUpload(request).upload.upload_id

    def stored(
        self, data: bytes, *, file_type: str = "video", user: str = "ann", name: str = "clip.mp4"
    ) -> str:
        """The file_url of a complete upload."""
        message = video_service_pb2.UploadRequest(
            user_id=user, file_name=name, chunk=data, total_chunks=1, file_type=file_type
        )
        return self.videos.UploadVideo(iter([message])).file_url


def frame(
    upload_id: str, offset: int, data: bytes, crc: int | None = None
) -> video_service_pb2.UploadRequest:
    """A chunk in one frame, with its checksum unless another one is given."""
    return video_service_pb2.UploadRequest(
        upload_id=upload_id,
        user_id="ann",
        offset=offset,
        chunk=data,
        chunk_crc32c=crc32c(data) if crc is None else crc,
    )


@contextmanager
def bearing(address: str, secret: str) -> Iterator[Stubs]:
    """Stubs whose calls all carry a token, sent as foreign code would."""

    class Bearer(grpc.AuthMetadataPlugin):
        def __call__(self, _: object, callback: grpc.AuthMetadataPluginCallback) -> None:
            callback((("authorization", f"Bearer {secret}"),), None)

    credentials = grpc.composite_channel_credentials(
        grpc.local_channel_credentials(), grpc.metadata_call_credentials(Bearer())
    )
    with grpc.secure_channel(address, credentials) as channel:
        yield Stubs(channel)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        engine="mock", bind="127.0.0.1:0", data_dir=str(tmp_path / "data"), workers=0, drain_timeout=0.5
    )


@pytest.fixture
def stubs(settings: Settings) -> Iterator[Stubs]:
    with run_server(settings) as server, grpc.insecure_channel(server.address) as channel:
        yield Stubs(channel)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A real face and a real clip."""
    folder = tmp_path_factory.mktemp("samples")
    media = FfmpegMedia()
    media.make_face(folder / "face.png")
    media.make_clip(folder / "clip.mp4", seconds=1, width=320, height=180)
    return (folder / "face.png").read_bytes(), (folder / "clip.mp4").read_bytes()


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> DevCertificates:
    """Certificates of a server at localhost and of the user ann."""
    return make_dev_certificates(tmp_path_factory.mktemp("certs"), hosts=["localhost"], user="ann")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> DevCertificates:
    """Certificates of another authority for the same names."""
    return make_dev_certificates(tmp_path_factory.mktemp("others"), hosts=["localhost"], user="ann")


@pytest.fixture
def made(settings: Settings) -> Iterator[Tokens]:
    with tokens(settings) as opened:
        yield opened


@pytest.fixture
def serve(settings: Settings, tmp_path: Path) -> Serve:
    """A factory of servers with changed settings and real samples."""
    from tests.support.rpc.statuses import RunningServer  # which needs the stubs above

    media = FfmpegMedia()
    media.make_face(tmp_path / "face.png")
    media.make_clip(tmp_path / "clip.mp4", seconds=2, width=160, height=120)
    face, clip = ((tmp_path / name).read_bytes() for name in ("face.png", "clip.mp4"))

    @contextmanager
    def start(**changed: object) -> "Iterator[RunningServer]":
        changed_settings = replace(settings, **changed)  # type: ignore[arg-type]
        with run_server(changed_settings) as server, grpc.insecure_channel(server.address) as channel:
            yield RunningServer(stubs=Stubs(channel), face=face, clip=clip)

    return start
