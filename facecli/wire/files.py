"""Converts server information to protobuf messages and back."""

from facecli.api.server_info import ServerInfo
from facecli.wire.generated import file_service_pb2 as pb


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
    )


def info_from_message(message: pb.GetServerInfoResponse) -> ServerInfo:
    return ServerInfo(
        version=message.version,
        chunk_size=message.chunk_size,
        max_chunk_size=message.max_chunk_size,
        frame_size=message.frame_size,
        max_file_size=message.max_file_size,
        engines=tuple(message.engines),
        default_engine=message.default_engine,
        image_formats=tuple(message.image_formats),
        video_formats=tuple(message.video_formats),
        features=tuple(message.features),
        ffmpeg=message.ffmpeg,
        free_bytes=message.free_bytes,
        upload_expiry=message.upload_expiry_seconds,
        max_pixels=message.max_pixels,
        max_video_seconds=message.max_video_seconds,
        max_user_bytes=message.max_user_bytes,
        max_user_unfinished=message.max_user_unfinished,
        max_user_waiting=message.max_user_waiting,
        user_bytes=message.user_bytes,
        user=message.user_id,
        admin=message.admin,
    )
