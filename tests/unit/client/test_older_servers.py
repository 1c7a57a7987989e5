"""Servers that are older than the client, and would ignore what they do not know."""

from pathlib import Path

import pytest

import facecli
from facecli.wire.generated import file_service_pb2 as pb
from tests.support.garbage.plausible import PLAUSIBLE
from tests.support.garbage.server import GarbageServer, of

HOOK = "https://hooks.example.org/"


def test_a_server_without_webhooks_is_found_out_before_a_byte_is_sent(
    garbage: GarbageServer, tmp_path: Path
) -> None:
    face, clip = tmp_path / "face.png", tmp_path / "clip.mp4"
    face.write_bytes(b"\x89PNG\r\n\x1a\n")
    clip.write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    older = pb.GetServerInfoResponse(version="0.0.1", chunk_size=1000, features=["resume"])
    garbage.answers = {**PLAUSIBLE, "GetServerInfo": of(older)}
    with (
        facecli.connect(garbage.address, retry_for=0) as client,
        pytest.raises(facecli.NotConfigured, match=r"facecli 0\.0\.1, is too old for webhooks"),
    ):
        client.swap(face, clip, tmp_path / "out.mp4", notify=HOOK)
    assert garbage.count("BeginUploads") == garbage.count("CreateTask") == 0


@pytest.mark.parametrize(
    ("notify", "consent", "message"),
    [(HOOK, "", "too old to notify anybody"), ("", "I agree.", "too old to record a consent")],
)
def test_a_task_that_an_older_server_cannot_create_so_is_an_error(
    garbage: GarbageServer, notify: str, consent: str, message: str
) -> None:
    with (
        facecli.connect(garbage.address, retry_for=0) as client,
        pytest.raises(facecli.NotConfigured, match=message),
    ):
        client.tasks.create("/uploads/a/face.jpg", "/uploads/b/clip.mp4", notify=notify, consent=consent)
