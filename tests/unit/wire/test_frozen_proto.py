"""The frozen part of the protocol: the names, numbers and types that released apps were built from."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

ROOT = Path(__file__).parents[3]
FIRST_ADDITION = 16  # field number

MESSAGES = {
    "UploadRequest": [
        (1, "user_id", "string"),
        (2, "file_name", "string"),
        (3, "chunk", "bytes"),
        (4, "chunk_index", "int32"),
        (5, "total_chunks", "int32"),
        (6, "file_type", "string"),
    ],
    "UploadResponse": [
        (1, "status", "string"),
        (2, "message", "string"),
        (3, "file_url", "string"),
        (4, "uploaded_chunks", "int32"),
        (5, "total_chunks", "int32"),
    ],
    "CreateTaskRequest": [
        (1, "user_id", "string"),
        (2, "image_url", "string"),
        (3, "video_url", "string"),
    ],
    "TaskResponse": [
        (1, "task_id", "string"),
        (2, "status", "string"),
        (3, "progress", "int32"),
        (4, "result_url", "string"),
        (5, "error_message", "string"),
    ],
    "TaskStatusRequest": [
        (1, "task_id", "string"),
    ],
}

CALLS = {
    "UploadVideo": "stream .video.UploadRequest -> .video.UploadResponse",
    "CreateTask": ".video.CreateTaskRequest -> .video.TaskResponse",
    "GetTaskStatus": ".video.TaskStatusRequest -> .video.TaskResponse",
}


def compiled(folder: Path, out: Path) -> FileDescriptorProto:
    """The descriptor of `folder`/video_service.proto, as protoc compiles it."""
    includes = [f"-I{folder}", f"-I{files('grpc_tools') / '_proto'}"]
    assert protoc.main(["protoc", *includes, f"--descriptor_set_out={out}", "video_service.proto"]) == 0
    return FileDescriptorSet.FromString(out.read_bytes()).file[0]


def frozen_messages(proto: FileDescriptorProto) -> dict[str, list[tuple[int, str, str]]]:
    """The messages of the app in `proto`, reduced to the frozen fields."""
    return {
        message.name: sorted(
            (field.number, field.name, kind(field))
            for field in message.field
            if field.number < FIRST_ADDITION
        )
        for message in proto.message_type
        if message.name in MESSAGES
    }


def kind(field: FieldDescriptorProto) -> str:
    """The type as written in a proto file, with labels of fields that are not plain."""
    words = [FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()]
    if field.label != FieldDescriptorProto.LABEL_OPTIONAL:
        words.insert(0, FieldDescriptorProto.Label.Name(field.label).removeprefix("LABEL_").lower())
    if field.HasField("oneof_index"):
        words.insert(0, "optional or oneof")
    return " ".join(words)


def calls(proto: FileDescriptorProto) -> dict[str, str]:
    (service,) = (one for one in proto.service if one.name == "VideoService")
    return {
        call.name: f"{'stream ' * call.client_streaming}{call.input_type} -> "
        f"{'stream ' * call.server_streaming}{call.output_type}"
        for call in service.method
    }


def is_what_the_app_has(proto: FileDescriptorProto) -> bool:
    return (
        (proto.package, proto.syntax) == ("video", "proto3")
        and frozen_messages(proto) == MESSAGES
        and calls(proto).items() >= CALLS.items()
    )


def test_the_proto_still_contains_everything_that_the_app_was_built_from(tmp_path: Path) -> None:
    proto = compiled(ROOT / "proto", tmp_path / "image")
    assert proto.package == "video"
    assert frozen_messages(proto) == MESSAGES
    assert calls(proto) == CALLS
    assert is_what_the_app_has(proto)


def test_the_foreign_client_is_built_from_the_frozen_part_and_nothing_else(tmp_path: Path) -> None:
    proto = compiled(ROOT / "tests" / "frozen", tmp_path / "image")
    assert is_what_the_app_has(proto)
    assert calls(proto) == CALLS
    assert {message.name: len(message.field) for message in proto.message_type} == {
        name: len(fields) for name, fields in MESSAGES.items()
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("string file_name = 2", "string filename = 2"),
        ("string file_name = 2", "string file_name = 7"),
        ("int32 chunk_index = 4", "int64 chunk_index = 4"),
        ("string file_type = 6", "repeated string file_type = 6"),
        ("string file_type = 6", "optional string file_type = 6"),
        ("  string result_url = 4;\n", ""),
        ("string file_type = 6;", "string file_type = 6; int64 size = 7;"),
        ("UploadVideo(stream UploadRequest)", "UploadVideo(UploadRequest)"),
        ("(UploadResponse)", "(stream UploadResponse)"),
        ("rpc GetTaskStatus", "rpc TaskStatus"),
        ("package video;", "package video.v2;"),
    ],
)
def test_a_change_of_the_frozen_part_is_detected(tmp_path: Path, before: str, after: str) -> None:
    text = (ROOT / "proto" / "video_service.proto").read_text()
    assert before in text
    (tmp_path / "video_service.proto").write_text(text.replace(before, after))
    assert not is_what_the_app_has(compiled(tmp_path, tmp_path / "image"))


def test_the_generated_code_matches_the_proto_files() -> None:
    check = [sys.executable, str(ROOT / "proto" / "generate.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
