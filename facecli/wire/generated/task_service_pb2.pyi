import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from facecli.wire.generated import video_service_pb2 as _video_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchTaskRequest(_message.Message):
    __slots__ = ("user_id", "task_id", "after_revision")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_REVISION_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    task_id: str
    after_revision: int
    def __init__(self, user_id: _Optional[str] = ..., task_id: _Optional[str] = ..., after_revision: _Optional[int] = ...) -> None: ...

class WatchTaskResponse(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: _video_service_pb2.TaskResponse
    def __init__(self, task: _Optional[_Union[_video_service_pb2.TaskResponse, _Mapping]] = ...) -> None: ...

class WatchTasksRequest(_message.Message):
    __slots__ = ("user_id", "tasks", "all")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    tasks: _containers.RepeatedCompositeFieldContainer[WatchedTask]
    all: bool
    def __init__(self, user_id: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[WatchedTask, _Mapping]]] = ..., all: _Optional[bool] = ...) -> None: ...

class WatchedTask(_message.Message):
    __slots__ = ("task_id", "after_revision")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_REVISION_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    after_revision: int
    def __init__(self, task_id: _Optional[str] = ..., after_revision: _Optional[int] = ...) -> None: ...

class WatchTasksResponse(_message.Message):
    __slots__ = ("tasks", "deleted_task_ids", "up_to_date")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    DELETED_TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    UP_TO_DATE_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[_video_service_pb2.TaskResponse]
    deleted_task_ids: _containers.RepeatedScalarFieldContainer[str]
    up_to_date: bool
    def __init__(self, tasks: _Optional[_Iterable[_Union[_video_service_pb2.TaskResponse, _Mapping]]] = ..., deleted_task_ids: _Optional[_Iterable[str]] = ..., up_to_date: _Optional[bool] = ...) -> None: ...

class CheckTaskRequest(_message.Message):
    __slots__ = ("user_id", "engine", "options", "terms")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    engine: str
    options: _containers.ScalarMap[str, str]
    terms: Terms
    def __init__(self, user_id: _Optional[str] = ..., engine: _Optional[str] = ..., options: _Optional[_Mapping[str, str]] = ..., terms: _Optional[_Union[Terms, _Mapping]] = ...) -> None: ...

class Terms(_message.Message):
    __slots__ = ("label_waiver", "consent")
    LABEL_WAIVER_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    label_waiver: str
    consent: Consent
    def __init__(self, label_waiver: _Optional[str] = ..., consent: _Optional[_Union[Consent, _Mapping]] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("sha256", "kind", "name")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    kind: str
    name: str
    def __init__(self, sha256: _Optional[str] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class CreateTaskUnderTermsRequest(_message.Message):
    __slots__ = ("task", "terms")
    TASK_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    task: _video_service_pb2.CreateTaskRequest
    terms: Terms
    def __init__(self, task: _Optional[_Union[_video_service_pb2.CreateTaskRequest, _Mapping]] = ..., terms: _Optional[_Union[Terms, _Mapping]] = ...) -> None: ...

class CreateTaskUnderTermsResponse(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: _video_service_pb2.TaskResponse
    def __init__(self, task: _Optional[_Union[_video_service_pb2.TaskResponse, _Mapping]] = ...) -> None: ...

class GetProvenanceRequest(_message.Message):
    __slots__ = ("user_id", "task_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    task_id: str
    def __init__(self, user_id: _Optional[str] = ..., task_id: _Optional[str] = ...) -> None: ...

class GetProvenanceResponse(_message.Message):
    __slots__ = ("record", "position", "previous_sha256", "sha256")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_SHA256_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    record: str
    position: int
    previous_sha256: str
    sha256: str
    def __init__(self, record: _Optional[str] = ..., position: _Optional[int] = ..., previous_sha256: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class CheckTaskResponse(_message.Message):
    __slots__ = ("engine", "engine_version")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    engine: str
    engine_version: str
    def __init__(self, engine: _Optional[str] = ..., engine_version: _Optional[str] = ...) -> None: ...

class PreviewTaskRequest(_message.Message):
    __slots__ = ("user_id", "image_url", "video_url", "engine", "options", "at", "terms")
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
    AT_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    image_url: str
    video_url: str
    engine: str
    options: _containers.ScalarMap[str, str]
    at: _containers.RepeatedCompositeFieldContainer[_duration_pb2.Duration]
    terms: Terms
    def __init__(self, user_id: _Optional[str] = ..., image_url: _Optional[str] = ..., video_url: _Optional[str] = ..., engine: _Optional[str] = ..., options: _Optional[_Mapping[str, str]] = ..., at: _Optional[_Iterable[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]]] = ..., terms: _Optional[_Union[Terms, _Mapping]] = ...) -> None: ...

class PreviewTaskResponse(_message.Message):
    __slots__ = ("image", "crc32c")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CRC32C_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    crc32c: int
    def __init__(self, image: _Optional[bytes] = ..., crc32c: _Optional[int] = ...) -> None: ...

class FindTaskRequest(_message.Message):
    __slots__ = ("user_id", "task_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    task_id: str
    def __init__(self, user_id: _Optional[str] = ..., task_id: _Optional[str] = ...) -> None: ...

class FindTaskResponse(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: _video_service_pb2.TaskResponse
    def __init__(self, task: _Optional[_Union[_video_service_pb2.TaskResponse, _Mapping]] = ...) -> None: ...

class ListTasksRequest(_message.Message):
    __slots__ = ("user_id", "status", "page_size", "page_token", "engine", "since", "until", "result_crc32c")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    RESULT_CRC32C_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    status: str
    page_size: int
    page_token: str
    engine: str
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    result_crc32c: int
    def __init__(self, user_id: _Optional[str] = ..., status: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., engine: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., result_crc32c: _Optional[int] = ...) -> None: ...

class ListTasksResponse(_message.Message):
    __slots__ = ("tasks", "next_page_token")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[_video_service_pb2.TaskResponse]
    next_page_token: str
    def __init__(self, tasks: _Optional[_Iterable[_Union[_video_service_pb2.TaskResponse, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListTaskLogsRequest(_message.Message):
    __slots__ = ("user_id", "task_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    task_id: str
    def __init__(self, user_id: _Optional[str] = ..., task_id: _Optional[str] = ...) -> None: ...

class ListTaskLogsResponse(_message.Message):
    __slots__ = ("records", "dropped")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[TaskLogRecord]
    dropped: int
    def __init__(self, records: _Optional[_Iterable[_Union[TaskLogRecord, _Mapping]]] = ..., dropped: _Optional[int] = ...) -> None: ...

class TaskLogRecord(_message.Message):
    __slots__ = ("time", "level", "logger", "text", "round", "attempt")
    TIME_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    LOGGER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    level: str
    logger: str
    text: str
    round: int
    attempt: int
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., level: _Optional[str] = ..., logger: _Optional[str] = ..., text: _Optional[str] = ..., round: _Optional[int] = ..., attempt: _Optional[int] = ...) -> None: ...

class CancelTaskRequest(_message.Message):
    __slots__ = ("user_id", "task_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    task_id: str
    def __init__(self, user_id: _Optional[str] = ..., task_id: _Optional[str] = ...) -> None: ...

class CancelTaskResponse(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: _video_service_pb2.TaskResponse
    def __init__(self, task: _Optional[_Union[_video_service_pb2.TaskResponse, _Mapping]] = ...) -> None: ...

class RetryTaskRequest(_message.Message):
    __slots__ = ("user_id", "task_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    task_id: str
    def __init__(self, user_id: _Optional[str] = ..., task_id: _Optional[str] = ...) -> None: ...

class RetryTaskResponse(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: _video_service_pb2.TaskResponse
    def __init__(self, task: _Optional[_Union[_video_service_pb2.TaskResponse, _Mapping]] = ...) -> None: ...

class DeleteTaskRequest(_message.Message):
    __slots__ = ("user_id", "task_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    task_id: str
    def __init__(self, user_id: _Optional[str] = ..., task_id: _Optional[str] = ...) -> None: ...

class DeleteTaskResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
