"""Server information: capabilities, limits, and the identity of the caller."""

from dataclasses import dataclass

from facecli.core.video.engines import EngineInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """Sizes are in bytes, `upload_expiry` in seconds. `user` is empty where the server trusts every name."""

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
    max_pixels: int  # of an image or a frame
    max_video_seconds: int
    max_user_bytes: int  # uploads and results of one user; here and below 0 is unlimited
    max_user_unfinished: int  # uploads
    max_user_waiting: int  # tasks
    user_bytes: int = 0  # in use now
    user: str = ""
    admin: bool = False
    engine_infos: tuple[
        EngineInfo, ...
    ] = ()  # of `engines`; a client knows nothing of their packages and needs
    time: float = 0.0  # seconds since 1970 by the server's clock; 0 from one that does not tell
    worker_versions: tuple[str, ...] = ()  # of the workers that run; empty for those of earlier versions
    client_address: str = ""  # of the caller; empty from a server that does not tell
    proxy_address: str = ""  # of the trusted proxy that the call came through; named none if it is the same
    proxy_headers: tuple[str, ...] = ()  # that came with the call
    http_url: str = ""  # with which links begin; empty without HTTP
