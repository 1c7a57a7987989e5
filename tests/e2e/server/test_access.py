"""A server on a network, with TLS and tokens: two users in two shells, and a client in another language."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Serve
from tests.support.e2e.files import sha256
from tests.support.e2e.process import CommandResult, run
from tests.support.e2e.requirements import NODE_MODULES, needs
from tests.support.e2e.server import Server
from tests.support.eventually import DEADLINE

UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE = 16, 7, 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A shell with the settings of one user."""

    environment: dict[str, str]

    def run(self, *arguments: object, expect: int = 0) -> CommandResult:
        return run(*arguments, environment=self.environment, expect=expect)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The paths of a development authority and its certificates, by role."""
    folder = tmp_path_factory.mktemp("certs")
    paths: dict[str, str] = run("cert", "dev", folder, "--user", "ann", "--json").object
    return paths


@pytest.fixture
def tls_server(serve: Serve, certs: dict[str, str]) -> Server:
    return serve(options=["--tls-cert", certs["server"], "--tls-key", certs["server_key"], "--auth", "token"])


def token(server: Server, user: str) -> str:
    return run("token", "create", user, "--data-dir", server.data).out.strip()


def shell(server: Server, certs: dict[str, str], folder: Path, user: str) -> Shell:
    """A shell of a user, whose token is in a file."""
    file = folder / f"{user}.token"
    file.touch(mode=0o600)
    file.write_text(token(server, user))
    settings = {"SERVER": server.address, "TLS_CA": certs["ca"], "TOKEN_FILE": str(file)}
    return Shell(environment={**os.environ, **{f"FACECLI_{name}": value for name, value in settings.items()}})


def test_two_users_on_one_server_are_isolated_from_each_other(
    tls_server: Server, certs: dict[str, str], face: Path, clip: Path, tmp_path: Path
) -> None:
    ann, bob = (shell(tls_server, certs, tmp_path, user) for user in ("ann", "bob"))
    swapped = ann.run("swap", face, clip, "-o", tmp_path / "ann.mp4", "--json").object
    task, image = swapped["task_id"], swapped["image_url"]
    uploaded = bob.run("upload", face, "--json").object
    assert uploaded["file_url"] != image
    assert uploaded["bytes_sent"] == face.stat().st_size, "a file of another user was reused"
    assert bob.run("task", "list", "--json").objects == []
    for command in (
        ("task", "status", task),
        ("task", "watch", task),
        ("task", "cancel", task),
        ("task", "retry", task),
        ("task", "download", task, "-o", tmp_path / "bob.mp4"),
        ("task", "create", "--image", image, "--video", swapped["video_url"]),
        ("task", "create", "--image", uploaded["file_url"], "--video", swapped["video_url"]),
    ):
        error = bob.run(*command, "--json", expect=5).error
        assert error["reason"] in {"TASK_NOT_FOUND", "UPLOAD_NOT_FOUND"}
    assert not (tmp_path / "bob.mp4").exists()
    assert bob.run("task", "list", "--user", "ann", "--json", expect=4).error["reason"] == "NOT_ALLOWED"
    bob.run("swap", face, clip, "-o", tmp_path / "bob.mp4")
    assert len(bob.run("task", "list", "-q").out.split()) == 1
    again = ann.run("swap", face, clip, "-o", tmp_path / "again.mp4", "--json").object
    assert again["task_id"] == task
    assert sha256(tmp_path / "again.mp4") == sha256(tmp_path / "ann.mp4")


@needs("node")
def test_a_node_client_needs_a_token_or_a_certificate(
    tls_server: Server,
    serve: Serve,
    certs: dict[str, str],
    face: Path,
    clip: Path,
    tmp_path: Path,
) -> None:
    def responses(server: Server, **options: str) -> list[dict[str, Any]]:
        """Run the client; return the responses it got, the last of which may be an error."""
        files = {"image": str(face), "video": str(clip), "user": "ann", "server": server.address}
        result = subprocess.run(
            ["node", ROOT / "tests/foreign/client.cjs", json.dumps({**files, **options})],
            env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        messages = [json.loads(line) for line in result.stdout.splitlines()]
        assert messages, result.stderr
        assert result.returncode == messages[-1].get("code", 0), result
        return messages

    tls, secret = {"ca": certs["ca"]}, token(tls_server, "ann")
    assert responses(tls_server, **tls)[-1]["code"] == UNAUTHENTICATED
    assert responses(tls_server, **tls, token=secret[:-1])[-1]["code"] == UNAUTHENTICATED
    assert responses(tls_server, **tls, token=secret, user="bob")[-1]["code"] == PERMISSION_DENIED
    assert responses(tls_server, token=secret)[-1]["code"] == UNAVAILABLE, (
        "the server accepted a token without TLS"
    )
    last = responses(tls_server, **tls, token=secret)[-1]["response"]
    assert (last["status"], last["progress"]) == ("completed", 100)
    pair = ["--tls-cert", certs["server"], "--tls-key", certs["server_key"]]
    mutual = serve(tmp_path / "mutual", options=[*pair, "--tls-client-ca", certs["ca"], "--workers", "0"])
    certificate = {"cert": certs["client"], "key": certs["client_key"], "only": "upload"}
    assert responses(mutual, **tls, only="upload")[-1]["code"] == UNAVAILABLE
    assert responses(mutual, **tls, **certificate)[-1]["response"]["status"] == "completed"
    assert responses(mutual, **tls, **certificate, user="bob")[-1]["code"] == PERMISSION_DENIED
