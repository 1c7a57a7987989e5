"""The app's client, which knows the frozen proto and nothing of facecli, against a real server."""

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
from tests.support.e2e.process import DEADLINE
from tests.support.e2e.server import Server

CHUNK = 10 * MIB

Answer = dict[str, Any]


def app(server: Server, image: Path, video: Path, *options: object) -> dict[str, list[Answer]]:
    """Everything the app was answered, by call; it must have ended well."""
    script = ROOT / "tests/foreign/client.py"
    done = subprocess.run(
        [sys.executable, script, server.address, image, video, *map(str, options)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    answers: dict[str, list[Answer]] = {}
    for line in done.stdout.splitlines():
        said = json.loads(line)
        answers.setdefault(said["call"], []).append(said["answer"])
    return answers


def test_the_app_uploads_in_messages_of_10_mib_creates_a_task_and_polls_it_to_its_result(
    server: Server, user: str, face: Path, big_clip: Path
) -> None:
    answers = app(server, face, big_clip, "--user", user)
    image, video = answers["UploadVideo"]
    assert (image["status"], video["status"]) == ("completed", "completed")
    assert video["uploaded_chunks"] == video["total_chunks"] == -(-big_clip.stat().st_size // CHUNK) > 2
    assert server.sha256(video["file_url"], user) == sha256(big_clip)
    polled = [answers["CreateTask"][0], *answers["GetTaskStatus"]]
    assert {said["task_id"] for said in polled} == {polled[0]["task_id"]}
    assert [said["progress"] for said in polled] == sorted(said["progress"] for said in polled)
    assert (polled[-1]["status"], polled[-1]["progress"]) == ("completed", 100)
    assert polled[-1]["result_url"].startswith("/outputs/")
    server.sha256(polled[-1]["result_url"], user)


def test_the_app_that_was_cut_off_and_resumes_is_told_where_and_sends_only_the_rest(
    server: Server, user: str, face: Path, big_clip: Path
) -> None:
    upload_id = two_chunks(server, big_clip, user)
    assert server.uploads(user) == {big_clip.name: 2 * CHUNK}
    answers = app(server, face, big_clip, "--user", user, "--resume", "--upload-id", upload_id)
    (told,) = answers["UploadVideo metadata"]
    assert told == {"facecli-upload-id": upload_id, "facecli-next-chunk": "2"}
    assert answers["UploadVideo"][-1]["file_url"] == f"/uploads/{upload_id}/{big_clip.name}"
    assert server.sha256(answers["UploadVideo"][-1]["file_url"], user) == sha256(big_clip)
    assert answers["GetTaskStatus"][-1]["status"] == "completed"


def test_the_app_that_cuts_its_call_goes_on_from_what_was_stored(
    server: Server, user: str, face: Path, big_clip: Path
) -> None:
    cut = app(server, face, big_clip, "--user", user, "--resume", "--stop-after", 2)
    assert cut["UploadVideo"][-1]["status"] == "cut"
    upload_id = cut["UploadVideo metadata"][0]["facecli-upload-id"]
    answers = app(server, face, big_clip, "--user", user, "--resume", "--upload-id", upload_id)
    assert int(answers["UploadVideo metadata"][0]["facecli-next-chunk"]) in {0, 1, 2}
    assert server.sha256(answers["UploadVideo"][-1]["file_url"], user) == sha256(big_clip)
    assert answers["GetTaskStatus"][-1]["status"] == "completed"


def test_without_the_header_the_app_begins_anew_and_gets_no_metadata(
    server: Server, user: str, face: Path, big_clip: Path
) -> None:
    upload_id = two_chunks(server, big_clip, user)
    answers = app(server, face, big_clip, "--user", user)
    assert "UploadVideo metadata" not in answers
    assert upload_id not in answers["UploadVideo"][-1]["file_url"]
    assert server.sha256(answers["UploadVideo"][-1]["file_url"], user) == sha256(big_clip)


def two_chunks(server: Server, path: Path, user: str) -> str:
    """Send the first two chunks as a client that resumes, and close the stream; the upload's id."""

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
        answer, call = stub.UploadVideo.with_call(messages(), metadata=(("facecli-resume", "1"),))
        metadata = dict(call.initial_metadata())
    assert (answer.status, answer.uploaded_chunks) == ("incomplete", 2)
    assert metadata["facecli-next-chunk"] == "0"
    return str(metadata["facecli-upload-id"])
