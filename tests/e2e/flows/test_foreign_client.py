"""The app's client, built from the frozen proto without any facecli code, against a real server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc

from facecli.wire.generated import video_service_pb2, video_service_pb2_grpc
from tests.conftest import ROOT
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.server import Server
from tests.support.eventually import DEADLINE

CHUNK = 10 * MIB

Response = dict[str, Any]


def app(server: Server, image: Path, video: Path, *options: object) -> dict[str, list[Response]]:
    """Run the app's client to a successful end; return the responses it got, by call."""
    script = ROOT / "tests/foreign/client.py"
    result = subprocess.run(
        [sys.executable, script, server.address, image, video, *map(str, options)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert result.returncode == 0, (result.stdout[-2000:], result.stderr[-2000:])
    responses: dict[str, list[Response]] = {}
    for line in result.stdout.splitlines():
        message = json.loads(line)
        responses.setdefault(message["call"], []).append(message["response"])
    return responses


def test_the_app_uploads_in_10_mib_messages_and_polls_its_task_to_the_result(
    server: Server, user: str, face: Path, big_clip: Path
) -> None:
    responses = app(server, face, big_clip, "--user", user)
    image, video = responses["UploadVideo"]
    assert (image["status"], video["status"]) == ("completed", "completed")
    assert video["uploaded_chunks"] == video["total_chunks"] == -(-big_clip.stat().st_size // CHUNK) > 2
    assert server.sha256(video["file_url"], user) == sha256(big_clip)
    polled = [responses["CreateTask"][0], *responses["GetTaskStatus"]]
    assert {state["task_id"] for state in polled} == {polled[0]["task_id"]}
    assert [state["progress"] for state in polled] == sorted(state["progress"] for state in polled)
    assert (polled[-1]["status"], polled[-1]["progress"]) == ("completed", 100)
    assert polled[-1]["result_url"].startswith("/outputs/")
    server.sha256(polled[-1]["result_url"], user)


def test_the_app_resumes_an_upload_and_sends_only_the_missing_chunks(
    server: Server, user: str, face: Path, big_clip: Path
) -> None:
    upload_id = send_two_chunks(server, big_clip, user)
    assert server.uploads(user) == {big_clip.name: 2 * CHUNK}
    responses = app(server, face, big_clip, "--user", user, "--resume", "--upload-id", upload_id)
    (metadata,) = responses["UploadVideo metadata"]
    assert metadata == {"facecli-upload-id": upload_id, "facecli-next-chunk": "2"}
    assert responses["UploadVideo"][-1]["file_url"] == f"/uploads/{upload_id}/{big_clip.name}"
    assert server.sha256(responses["UploadVideo"][-1]["file_url"], user) == sha256(big_clip)
    assert responses["GetTaskStatus"][-1]["status"] == "completed"


def test_the_app_resumes_from_the_stored_chunks_after_it_cancelled_its_call(
    server: Server, user: str, face: Path, big_clip: Path
) -> None:
    cut = app(server, face, big_clip, "--user", user, "--resume", "--stop-after", 2)
    assert cut["UploadVideo"][-1]["status"] == "cut"
    upload_id = cut["UploadVideo metadata"][0]["facecli-upload-id"]
    responses = app(server, face, big_clip, "--user", user, "--resume", "--upload-id", upload_id)
    assert int(responses["UploadVideo metadata"][0]["facecli-next-chunk"]) in {0, 1, 2}
    assert server.sha256(responses["UploadVideo"][-1]["file_url"], user) == sha256(big_clip)
    assert responses["GetTaskStatus"][-1]["status"] == "completed"


def test_without_the_resume_header_the_app_starts_over_and_gets_no_metadata(
    server: Server, user: str, face: Path, big_clip: Path
) -> None:
    upload_id = send_two_chunks(server, big_clip, user)
    responses = app(server, face, big_clip, "--user", user)
    assert "UploadVideo metadata" not in responses
    assert upload_id not in responses["UploadVideo"][-1]["file_url"]
    assert server.sha256(responses["UploadVideo"][-1]["file_url"], user) == sha256(big_clip)


def send_two_chunks(server: Server, path: Path, user: str) -> str:
    """Send the first two chunks as a resuming client and close the stream; return the id of the upload."""

    def messages() -> Iterator[video_service_pb2.UploadRequest]:
        with path.open("rb") as file:
            for index in range(2):
                yield video_service_pb2.UploadRequest(
                    user_id=user,
                    file_name=path.name,
                    chunk=file.read(CHUNK),
                    chunk_index=index,
                    total_chunks=-(-path.stat().st_size // CHUNK),
                    file_type="video",
                )

    with grpc.insecure_channel(server.address) as channel:
        stub = video_service_pb2_grpc.VideoServiceStub(channel)
        response, call = stub.UploadVideo.with_call(messages(), metadata=(("facecli-resume", "1"),))
        metadata = dict(call.initial_metadata())
    assert (response.status, response.uploaded_chunks) == ("incomplete", 2)
    assert metadata["facecli-next-chunk"] == "0"
    return str(metadata["facecli-upload-id"])
