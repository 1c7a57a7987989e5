import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DownloadRequest(_message.Message):
    __slots__ = ("user_id", "url", "offset")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    url: str
    offset: int
    def __init__(self, user_id: _Optional[str] = ..., url: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class DownloadResponse(_message.Message):
    __slots__ = ("data", "size", "crc32c")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    size: int
    crc32c: int
    def __init__(self, data: _Optional[bytes] = ..., size: _Optional[int] = ..., crc32c: _Optional[int] = ...) -> None: ...

class CreateLinkRequest(_message.Message):
    __slots__ = ("user_id", "url", "expires_seconds")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_SECONDS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    url: str
    expires_seconds: int
    def __init__(self, user_id: _Optional[str] = ..., url: _Optional[str] = ..., expires_seconds: _Optional[int] = ...) -> None: ...

class CreateLinkResponse(_message.Message):
    __slots__ = ("url", "expires_at")
    URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    url: str
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, url: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "chunk_size", "max_chunk_size", "frame_size", "max_file_size", "engines", "default_engine", "image_formats", "video_formats", "features", "ffmpeg", "free_bytes", "upload_expiry_seconds", "max_pixels", "max_video_seconds", "max_user_bytes", "max_user_unfinished", "max_user_waiting", "user_bytes", "user_id", "admin", "engine_infos", "time", "worker_versions", "client_address", "proxy_address", "proxy_headers", "http_url")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHUNK_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_CHUNK_SIZE_FIELD_NUMBER: _ClassVar[int]
    FRAME_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_FILE_SIZE_FIELD_NUMBER: _ClassVar[int]
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_ENGINE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FORMATS_FIELD_NUMBER: _ClassVar[int]
    VIDEO_FORMATS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    FFMPEG_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_EXPIRY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MAX_VIDEO_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_USER_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_USER_UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    MAX_USER_WAITING_FIELD_NUMBER: _ClassVar[int]
    USER_BYTES_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ADMIN_FIELD_NUMBER: _ClassVar[int]
    ENGINE_INFOS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    WORKER_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PROXY_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PROXY_HEADERS_FIELD_NUMBER: _ClassVar[int]
    HTTP_URL_FIELD_NUMBER: _ClassVar[int]
    version: str
    chunk_size: int
    max_chunk_size: int
    frame_size: int
    max_file_size: int
    engines: _containers.RepeatedScalarFieldContainer[str]
    default_engine: str
    image_formats: _containers.RepeatedScalarFieldContainer[str]
    video_formats: _containers.RepeatedScalarFieldContainer[str]
    features: _containers.RepeatedScalarFieldContainer[str]
    ffmpeg: str
    free_bytes: int
    upload_expiry_seconds: int
    max_pixels: int
    max_video_seconds: int
    max_user_bytes: int
    max_user_unfinished: int
    max_user_waiting: int
    user_bytes: int
    user_id: str
    admin: bool
    engine_infos: _containers.RepeatedCompositeFieldContainer[EngineInfo]
    time: _timestamp_pb2.Timestamp
    worker_versions: _containers.RepeatedScalarFieldContainer[str]
    client_address: str
    proxy_address: str
    proxy_headers: _containers.RepeatedScalarFieldContainer[str]
    http_url: str
    def __init__(self, version: _Optional[str] = ..., chunk_size: _Optional[int] = ..., max_chunk_size: _Optional[int] = ..., frame_size: _Optional[int] = ..., max_file_size: _Optional[int] = ..., engines: _Optional[_Iterable[str]] = ..., default_engine: _Optional[str] = ..., image_formats: _Optional[_Iterable[str]] = ..., video_formats: _Optional[_Iterable[str]] = ..., features: _Optional[_Iterable[str]] = ..., ffmpeg: _Optional[str] = ..., free_bytes: _Optional[int] = ..., upload_expiry_seconds: _Optional[int] = ..., max_pixels: _Optional[int] = ..., max_video_seconds: _Optional[int] = ..., max_user_bytes: _Optional[int] = ..., max_user_unfinished: _Optional[int] = ..., max_user_waiting: _Optional[int] = ..., user_bytes: _Optional[int] = ..., user_id: _Optional[str] = ..., admin: _Optional[bool] = ..., engine_infos: _Optional[_Iterable[_Union[EngineInfo, _Mapping]]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., worker_versions: _Optional[_Iterable[str]] = ..., client_address: _Optional[str] = ..., proxy_address: _Optional[str] = ..., proxy_headers: _Optional[_Iterable[str]] = ..., http_url: _Optional[str] = ...) -> None: ...

class EngineInfo(_message.Message):
    __slots__ = ("name", "version", "options")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    options: _containers.RepeatedCompositeFieldContainer[EngineOption]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., options: _Optional[_Iterable[_Union[EngineOption, _Mapping]]] = ...) -> None: ...

class EngineOption(_message.Message):
    __slots__ = ("name", "type", "about", "default_value", "minimum", "maximum", "choices")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    about: str
    default_value: str
    minimum: float
    maximum: float
    choices: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., about: _Optional[str] = ..., default_value: _Optional[str] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ..., choices: _Optional[_Iterable[str]] = ...) -> None: ...
