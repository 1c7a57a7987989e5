import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from facecli.wire.generated import video_service_pb2 as _video_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Upload(_message.Message):
    __slots__ = ("upload_id", "name", "file_type", "size", "chunk_size", "total_chunks", "status", "stored_bytes", "stored_chunks", "crc32c", "file_url", "created_at", "expires_at")
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILE_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_SIZE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STORED_BYTES_FIELD_NUMBER: _ClassVar[int]
    STORED_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    FILE_URL_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    upload_id: str
    name: str
    file_type: str
    size: int
    chunk_size: int
    total_chunks: int
    status: str
    stored_bytes: int
    stored_chunks: int
    crc32c: int
    file_url: str
    created_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, upload_id: _Optional[str] = ..., name: _Optional[str] = ..., file_type: _Optional[str] = ..., size: _Optional[int] = ..., chunk_size: _Optional[int] = ..., total_chunks: _Optional[int] = ..., status: _Optional[str] = ..., stored_bytes: _Optional[int] = ..., stored_chunks: _Optional[int] = ..., crc32c: _Optional[int] = ..., file_url: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StoredChunk(_message.Message):
    __slots__ = ("index", "size", "crc32c")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    index: int
    size: int
    crc32c: int
    def __init__(self, index: _Optional[int] = ..., size: _Optional[int] = ..., crc32c: _Optional[int] = ...) -> None: ...

class BeginUploadRequest(_message.Message):
    __slots__ = ("user_id", "name", "file_type", "size", "chunk_size", "fingerprint", "fresh")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILE_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_SIZE_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    name: str
    file_type: str
    size: int
    chunk_size: int
    fingerprint: int
    fresh: bool
    def __init__(self, user_id: _Optional[str] = ..., name: _Optional[str] = ..., file_type: _Optional[str] = ..., size: _Optional[int] = ..., chunk_size: _Optional[int] = ..., fingerprint: _Optional[int] = ..., fresh: _Optional[bool] = ...) -> None: ...

class BeginUploadResponse(_message.Message):
    __slots__ = ("upload", "chunks")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    upload: Upload
    chunks: _containers.RepeatedCompositeFieldContainer[StoredChunk]
    def __init__(self, upload: _Optional[_Union[Upload, _Mapping]] = ..., chunks: _Optional[_Iterable[_Union[StoredChunk, _Mapping]]] = ...) -> None: ...

class BeginUploadsRequest(_message.Message):
    __slots__ = ("uploads",)
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    uploads: _containers.RepeatedCompositeFieldContainer[BeginUploadRequest]
    def __init__(self, uploads: _Optional[_Iterable[_Union[BeginUploadRequest, _Mapping]]] = ...) -> None: ...

class BeginUploadsResponse(_message.Message):
    __slots__ = ("uploads",)
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    uploads: _containers.RepeatedCompositeFieldContainer[BeginUploadResponse]
    def __init__(self, uploads: _Optional[_Iterable[_Union[BeginUploadResponse, _Mapping]]] = ...) -> None: ...

class StreamUploadResponse(_message.Message):
    __slots__ = ("upload_id", "chunk_index", "stored_bytes", "status", "file_url", "crc32c", "stages")
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    CHUNK_INDEX_FIELD_NUMBER: _ClassVar[int]
    STORED_BYTES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FILE_URL_FIELD_NUMBER: _ClassVar[int]
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    upload_id: str
    chunk_index: int
    stored_bytes: int
    status: str
    file_url: str
    crc32c: int
    stages: StageTimes
    def __init__(self, upload_id: _Optional[str] = ..., chunk_index: _Optional[int] = ..., stored_bytes: _Optional[int] = ..., status: _Optional[str] = ..., file_url: _Optional[str] = ..., crc32c: _Optional[int] = ..., stages: _Optional[_Union[StageTimes, _Mapping]] = ...) -> None: ...

class StageTimes(_message.Message):
    __slots__ = ("elapsed_us", "receive_us", "receive_blocked_us", "frames_queued_us", "write_us", "write_cpu_us", "write_blocked_us", "chunks_queued_us", "flush_us", "commit_us")
    ELAPSED_US_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_US_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_BLOCKED_US_FIELD_NUMBER: _ClassVar[int]
    FRAMES_QUEUED_US_FIELD_NUMBER: _ClassVar[int]
    WRITE_US_FIELD_NUMBER: _ClassVar[int]
    WRITE_CPU_US_FIELD_NUMBER: _ClassVar[int]
    WRITE_BLOCKED_US_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_QUEUED_US_FIELD_NUMBER: _ClassVar[int]
    FLUSH_US_FIELD_NUMBER: _ClassVar[int]
    COMMIT_US_FIELD_NUMBER: _ClassVar[int]
    elapsed_us: int
    receive_us: int
    receive_blocked_us: int
    frames_queued_us: int
    write_us: int
    write_cpu_us: int
    write_blocked_us: int
    chunks_queued_us: int
    flush_us: int
    commit_us: int
    def __init__(self, elapsed_us: _Optional[int] = ..., receive_us: _Optional[int] = ..., receive_blocked_us: _Optional[int] = ..., frames_queued_us: _Optional[int] = ..., write_us: _Optional[int] = ..., write_cpu_us: _Optional[int] = ..., write_blocked_us: _Optional[int] = ..., chunks_queued_us: _Optional[int] = ..., flush_us: _Optional[int] = ..., commit_us: _Optional[int] = ...) -> None: ...

class UploadChunkRequest(_message.Message):
    __slots__ = ("user_id", "upload_id", "chunk_index", "data", "crc32c")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    CHUNK_INDEX_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    upload_id: str
    chunk_index: int
    data: bytes
    crc32c: int
    def __init__(self, user_id: _Optional[str] = ..., upload_id: _Optional[str] = ..., chunk_index: _Optional[int] = ..., data: _Optional[bytes] = ..., crc32c: _Optional[int] = ...) -> None: ...

class UploadChunkResponse(_message.Message):
    __slots__ = ("upload",)
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    upload: Upload
    def __init__(self, upload: _Optional[_Union[Upload, _Mapping]] = ...) -> None: ...

class GetUploadRequest(_message.Message):
    __slots__ = ("user_id", "upload_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    upload_id: str
    def __init__(self, user_id: _Optional[str] = ..., upload_id: _Optional[str] = ...) -> None: ...

class GetUploadResponse(_message.Message):
    __slots__ = ("upload", "chunks")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    upload: Upload
    chunks: _containers.RepeatedCompositeFieldContainer[StoredChunk]
    def __init__(self, upload: _Optional[_Union[Upload, _Mapping]] = ..., chunks: _Optional[_Iterable[_Union[StoredChunk, _Mapping]]] = ...) -> None: ...

class ListUploadsRequest(_message.Message):
    __slots__ = ("user_id", "page_size", "page_token")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    page_size: int
    page_token: str
    def __init__(self, user_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUploadsResponse(_message.Message):
    __slots__ = ("uploads", "next_page_token")
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    uploads: _containers.RepeatedCompositeFieldContainer[Upload]
    next_page_token: str
    def __init__(self, uploads: _Optional[_Iterable[_Union[Upload, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelUploadRequest(_message.Message):
    __slots__ = ("user_id", "upload_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    upload_id: str
    def __init__(self, user_id: _Optional[str] = ..., upload_id: _Optional[str] = ...) -> None: ...

class CancelUploadResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
