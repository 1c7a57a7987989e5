"""Webhooks of a server, from the argument of a client to the receiver."""

import json
from pathlib import Path

import pytest

import facecli
from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.media.ffmpeg import FfmpegMedia
from facecli.tasks.view import WebhookView
from tests.support.cli import facecli as facecli_command
from tests.support.eventually import eventually
from tests.unit.webhooks.conftest import Receiver


def webhook_of(client: facecli.Client, task: facecli.Task) -> WebhookView:
    webhook = client.tasks.get(task).webhook
    assert webhook
    return webhook


def settings(data: Path, **changed: str) -> Settings:
    return Settings(engine="mock", bind="127.0.0.1:0", data_dir=str(data), workers=0, **changed)  # type: ignore[arg-type]


@pytest.mark.media
def test_the_end_of_a_task_is_notified(tmp_path: Path, receiver: Receiver) -> None:
    face, clip = FfmpegMedia().make_portraits(tmp_path, seconds=1)
    allowed = {"notify_hosts": "127.0.0.1", "notify_networks": "127.0.0.1/32", "notify_key": "k" * 32}
    url = f"http://127.0.0.1:{receiver.port}/"
    with (
        run_server(settings(tmp_path / "data", **allowed)) as server,
        facecli.connect(server.address) as client,
    ):
        image, video = client.upload(face), client.upload(clip)
        with pytest.raises(facecli.PolicyRefused, match=r"does not notify hooks\.test"):
            client.swap(face, clip, tmp_path / "out.mp4", notify="http://hooks.test/")
        receiver.answer(500)
        task = client.tasks.create(image, video, notify=url)
        assert task.webhook and task.webhook.status == "pending"
        client.tasks.cancel(task)
        eventually(lambda: webhook_of(client, task).status == "delivered")
        assert webhook_of(client, task).attempts == 2
        assert client.tasks.create(image, video).webhook is None
        status = facecli_command("task", "status", task.id, "--server", server.address)
        assert "  webhook: delivered, 2 attempts" in status.out.splitlines()
    assert json.loads(receiver.received[0][1])["data"]["task_id"] == task.id


def test_a_server_without_the_settings_refuses_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with run_server(settings(tmp_path / "data")) as server, facecli.connect(server.address) as client:
        for url, error in (
            ("https://hooks.test/", facecli.NotConfigured),
            ("https://hooks.tést/", facecli.InvalidInput),
        ):
            with pytest.raises(error):
                client.tasks.create("/uploads/x/y.png", "/uploads/x/y.mp4", notify=url)
    with (
        pytest.raises(facecli.InvalidInput, match="needs notify_key"),
        run_server(settings(tmp_path / "more", notify_hosts="hooks.test")),
    ):
        pass
