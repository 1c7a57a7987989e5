"""Requests to the RPC services over HTTP."""

import base64
import struct
from typing import Any

from google.rpc import error_details_pb2

from facecli.bootstrap.server import Running
from tests.support.web.http_client import Answer, ask

JSON = {"content-type": "application/json"}
STATUS, BEGIN = "/video.VideoService/GetTaskStatus", "/video.UploadService/BeginUpload"
UPLOAD_CHUNK, WATCH = "/video.UploadService/UploadChunk", "/video.TaskService/WatchTask"
CLIP = {"userId": "ann", "name": "clip.mp4", "fileType": "video", "size": 10, "chunkSize": 4}
CHUNK_SIZE = 10 * 1024 * 1024


def post(server: Running, path: str, body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(server.http, path, method="POST", headers={**JSON, **named}, body=body)


def head(path: str, *, length: int, kind: str = "application/proto", more: str = "") -> bytes:
    """The headers of a request whose body has `length` bytes."""
    lines = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    return f"{lines}{more}\r\n".encode()


def framed(data: bytes, *, flags: int = 0, size: int | None = None) -> bytes:
    """A message of a stream, which may announce another size than it has."""
    return struct.pack(">BI", flags, len(data) if size is None else size) + data


def reason_in(answer: Answer) -> str:
    """The reason in the ErrorInfo of a refusal by Connect."""
    return reason_of(answer.json["details"])


def reason_of(details: list[Any]) -> str:
    info = error_details_pb2.ErrorInfo()
    (detail,) = (each for each in details if each["type"] == "google.rpc.ErrorInfo")
    info.ParseFromString(base64.b64decode(detail["value"] + "=="))
    assert info.domain == "facecli"
    return str(info.reason)
