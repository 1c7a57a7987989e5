"""What a server offers and allows, and whom it takes the caller for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """Sizes in bytes, `upload_expiry` in seconds. No `user` where the server believes every name."""

    version: str
    chunk_size: int
    max_chunk_size: int
    frame_size: int
    max_file_size: int
    engines: tuple[str, ...]
    default_engine: str
    image_formats: tuple[str, ...]
    video_formats: tuple[str, ...]
    features: tuple[str, ...]
    ffmpeg: str
    free_bytes: int
    upload_expiry: int
    max_pixels: int  # of a picture or a frame
    max_video_seconds: int
    max_user_bytes: int  # of one user's uploads and results; here and below, 0 for any
    max_user_unfinished: int  # uploads
    max_user_waiting: int  # tasks
    user_bytes: int = 0  # that the user has now
    user: str = ""
    admin: bool = False
