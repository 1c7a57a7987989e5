import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UploadRequest(_message.Message):
    __slots__ = ("user_id", "file_name", "chunk", "chunk_index", "total_chunks", "file_type", "upload_id", "offset", "file_size", "chunk_crc32c")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    CHUNK_INDEX_FIELD_NUMBER: _ClassVar[int]
    TOTAL_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    FILE_TYPE_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_CRC32C_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    file_name: str
    chunk: bytes
    chunk_index: int
    total_chunks: int
    file_type: str
    upload_id: str
    offset: int
    file_size: int
    chunk_crc32c: int
    def __init__(self, user_id: _Optional[str] = ..., file_name: _Optional[str] = ..., chunk: _Optional[bytes] = ..., chunk_index: _Optional[int] = ..., total_chunks: _Optional[int] = ..., file_type: _Optional[str] = ..., upload_id: _Optional[str] = ..., offset: _Optional[int] = ..., file_size: _Optional[int] = ..., chunk_crc32c: _Optional[int] = ...) -> None: ...

class UploadResponse(_message.Message):
    __slots__ = ("status", "message", "file_url", "uploaded_chunks", "total_chunks", "upload_id", "stored_bytes", "crc32c")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FILE_URL_FIELD_NUMBER: _ClassVar[int]
    UPLOADED_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    STORED_BYTES_FIELD_NUMBER: _ClassVar[int]
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    status: str
    message: str
    file_url: str
    uploaded_chunks: int
    total_chunks: int
    upload_id: str
    stored_bytes: int
    crc32c: int
    def __init__(self, status: _Optional[str] = ..., message: _Optional[str] = ..., file_url: _Optional[str] = ..., uploaded_chunks: _Optional[int] = ..., total_chunks: _Optional[int] = ..., upload_id: _Optional[str] = ..., stored_bytes: _Optional[int] = ..., crc32c: _Optional[int] = ...) -> None: ...

class CreateTaskRequest(_message.Message):
    __slots__ = ("user_id", "image_url", "video_url", "engine", "options", "fresh", "start", "end")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_URL_FIELD_NUMBER: _ClassVar[int]
    VIDEO_URL_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    image_url: str
    video_url: str
    engine: str
    options: _containers.ScalarMap[str, str]
    fresh: bool
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    def __init__(self, user_id: _Optional[str] = ..., image_url: _Optional[str] = ..., video_url: _Optional[str] = ..., engine: _Optional[str] = ..., options: _Optional[_Mapping[str, str]] = ..., fresh: _Optional[bool] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class TaskResponse(_message.Message):
    __slots__ = ("task_id", "status", "progress", "result_url", "error_message", "revision", "created_at", "updated_at", "engine", "error_reason", "result_size", "result_crc32c", "image_url", "video_url", "attempt", "stage", "frames_done", "frames", "round", "engine_version", "key", "options", "notes", "start", "end", "figures", "preview_url", "webhook", "request_id")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_URL_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    ERROR_REASON_FIELD_NUMBER: _ClassVar[int]
    RESULT_SIZE_FIELD_NUMBER: _ClassVar[int]
    RESULT_CRC32C_FIELD_NUMBER: _ClassVar[int]
    IMAGE_URL_FIELD_NUMBER: _ClassVar[int]
    VIDEO_URL_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_DONE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    ENGINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_URL_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    status: str
    progress: int
    result_url: str
    error_message: str
    revision: int
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    engine: str
    error_reason: str
    result_size: int
    result_crc32c: int
    image_url: str
    video_url: str
    attempt: int
    stage: str
    frames_done: int
    frames: int
    round: int
    engine_version: str
    key: str
    options: _containers.ScalarMap[str, str]
    notes: _containers.RepeatedScalarFieldContainer[str]
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    figures: SwapFigures
    preview_url: str
    webhook: Webhook
    request_id: str
    def __init__(self, task_id: _Optional[str] = ..., status: _Optional[str] = ..., progress: _Optional[int] = ..., result_url: _Optional[str] = ..., error_message: _Optional[str] = ..., revision: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine: _Optional[str] = ..., error_reason: _Optional[str] = ..., result_size: _Optional[int] = ..., result_crc32c: _Optional[int] = ..., image_url: _Optional[str] = ..., video_url: _Optional[str] = ..., attempt: _Optional[int] = ..., stage: _Optional[str] = ..., frames_done: _Optional[int] = ..., frames: _Optional[int] = ..., round: _Optional[int] = ..., engine_version: _Optional[str] = ..., key: _Optional[str] = ..., options: _Optional[_Mapping[str, str]] = ..., notes: _Optional[_Iterable[str]] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., figures: _Optional[_Union[SwapFigures, _Mapping]] = ..., preview_url: _Optional[str] = ..., webhook: _Optional[_Union[Webhook, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class Webhook(_message.Message):
    __slots__ = ("status", "attempts", "error")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    status: str
    attempts: int
    error: str
    def __init__(self, status: _Optional[str] = ..., attempts: _Optional[int] = ..., error: _Optional[str] = ...) -> None: ...

class SwapFigures(_message.Message):
    __slots__ = ("swapped", "without_face", "turned_away", "people")
    SWAPPED_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_FACE_FIELD_NUMBER: _ClassVar[int]
    TURNED_AWAY_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    swapped: int
    without_face: int
    turned_away: int
    people: int
    def __init__(self, swapped: _Optional[int] = ..., without_face: _Optional[int] = ..., turned_away: _Optional[int] = ..., people: _Optional[int] = ...) -> None: ...

class TaskStatusRequest(_message.Message):
    __slots__ = ("task_id",)
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...
