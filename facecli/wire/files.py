"""Converts server information and downloads to protobuf messages and back."""

from dataclasses import dataclass

from facecli.api.server_info import ServerInfo
from facecli.wire import responses
from facecli.wire.engines import engine_from_message, engine_to_message
from facecli.wire.generated import file_service_pb2 as pb
from facecli.wire.uploads import timestamp


def info_to_message(info: ServerInfo) -> pb.GetServerInfoResponse:
    return pb.GetServerInfoResponse(
        version=info.version,
        chunk_size=info.chunk_size,
        max_chunk_size=info.max_chunk_size,
        frame_size=info.frame_size,
        max_file_size=info.max_file_size,
        engines=info.engines,
        default_engine=info.default_engine,
        image_formats=info.image_formats,
        video_formats=info.video_formats,
        features=info.features,
        ffmpeg=info.ffmpeg,
        free_bytes=info.free_bytes,
        upload_expiry_seconds=info.upload_expiry,
        max_pixels=info.max_pixels,
        max_video_seconds=info.max_video_seconds,
        max_user_bytes=info.max_user_bytes,
        max_user_unfinished=info.max_user_unfinished,
        max_user_waiting=info.max_user_waiting,
        user_bytes=info.user_bytes,
        user_id=info.user,
        admin=info.admin,
        engine_infos=[engine_to_message(engine) for engine in info.engine_infos],
        time=timestamp(info.time),
        worker_versions=info.worker_versions,
        client_address=info.client_address,
        proxy_address=info.proxy_address,
        proxy_headers=info.proxy_headers,
        http_url=info.http_url,
    )


def info_from_message(message: pb.GetServerInfoResponse) -> ServerInfo:
    """The server's information; UnexpectedResponse for impossible sizes."""
    amount, words = responses.amount, responses.words
    return ServerInfo(
        version=responses.word(message.version),
        chunk_size=amount(message.chunk_size, "chunk size"),
        max_chunk_size=amount(message.max_chunk_size, "chunk size"),
        frame_size=amount(message.frame_size, "frame size"),
        max_file_size=amount(message.max_file_size, "file size"),
        engines=words(message.engines),
        default_engine=responses.word(message.default_engine),
        image_formats=words(message.image_formats),
        video_formats=words(message.video_formats),
        features=words(message.features),
        ffmpeg=responses.word(message.ffmpeg),
        free_bytes=amount(message.free_bytes, "number of free bytes"),
        upload_expiry=amount(message.upload_expiry_seconds, "upload expiry"),
        max_pixels=amount(message.max_pixels, "limit"),
        max_video_seconds=amount(message.max_video_seconds, "limit"),
        max_user_bytes=amount(message.max_user_bytes, "quota"),
        max_user_unfinished=amount(message.max_user_unfinished, "quota"),
        max_user_waiting=amount(message.max_user_waiting, "quota"),
        user_bytes=amount(message.user_bytes, "number of used bytes"),
        user=responses.word(message.user_id),
        admin=message.admin,
        engine_infos=tuple(map(engine_from_message, responses.listed(message.engine_infos))),
        time=responses.seconds(message.time, "time"),
        worker_versions=words(message.worker_versions),
        client_address=responses.word(message.client_address),
        proxy_address=responses.word(message.proxy_address),
        proxy_headers=words(message.proxy_headers),
        http_url=responses.word(message.http_url),
    )


def link_to_message(url: str, expires_at: float) -> pb.CreateLinkResponse:
    return pb.CreateLinkResponse(url=url, expires_at=timestamp(expires_at))


def link_from_message(message: pb.CreateLinkResponse) -> tuple[str, float]:
    """The URL of a link, and its expiry in seconds since 1970."""
    url = responses.identifier(message.url, "link")
    return url, responses.seconds(message.expires_at, "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The size and crc32c of a file."""

    size: int
    crc32c: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadPart:
    """A piece of a download. The first one promises the size and the crc32c of the whole file."""

    data: bytes
    promise: Promise | None


def part_from_message(message: pb.DownloadResponse) -> DownloadPart:
    promise = None
    if message.HasField("crc32c"):
        promise = Promise(size=responses.amount(message.size, "file size"), crc32c=message.crc32c)
    return DownloadPart(data=message.data, promise=promise)
