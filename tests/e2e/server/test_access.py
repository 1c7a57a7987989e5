"""A server as it stands on a network: two users from two shells, and a client in another language."""

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
from tests.support.e2e.process import DEADLINE, Done, run
from tests.support.e2e.requirements import needs
from tests.support.e2e.server import Server

GRPC_FOR_NODE = ("@grpc/grpc-js@1.14", "@grpc/proto-loader@0.8")
UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE = 16, 7, 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """One user's, with the settings of that user and nothing else."""

    environment: dict[str, str]

    def run(self, *words: object, expect: int = 0) -> Done:
        return run(*words, environment=self.environment, expect=expect)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Paths, by what they are of."""
    folder = tmp_path_factory.mktemp("certs")
    made: dict[str, str] = run("cert", "dev", folder, "--user", "ann", "--json").object
    return made


@pytest.fixture
def guarded(serve: Serve, certs: dict[str, str]) -> Server:
    return serve(options=["--tls-cert", certs["server"], "--tls-key", certs["server_key"], "--auth", "token"])


def token(server: Server, user: str) -> str:
    return run("token", "create", user, "--data-dir", server.data).out.strip()


def shell(server: Server, certs: dict[str, str], folder: Path, user: str) -> Shell:
    """The token comes from a file that is this user's."""
    file = folder / f"{user}.token"
    file.write_text(token(server, user))
    settings = {"SERVER": server.address, "TLS_CA": certs["ca"], "TOKEN_FILE": str(file)}
    return Shell(environment={**os.environ, **{f"FACECLI_{name}": value for name, value in settings.items()}})


def test_two_users_on_one_server_see_nothing_of_each_other(
    guarded: Server, certs: dict[str, str], face: Path, clip: Path, tmp_path: Path
) -> None:
    ann, bob = (shell(guarded, certs, tmp_path, user) for user in ("ann", "bob"))
    swapped = ann.run("swap", face, clip, "-o", tmp_path / "ann.mp4", "--json").object
    task, image = swapped["task_id"], swapped["image_url"]
    own = bob.run("upload", face, "--json").object
    assert own["file_url"] != image
    assert own["bytes_sent"] == face.stat().st_size, "the same file of another user was not sent again"
    assert bob.run("task", "list", "--json").objects == []
    for attempt in (
        ("task", "status", task),
        ("task", "watch", task),
        ("task", "cancel", task),
        ("task", "retry", task),
        ("task", "download", task, "-o", tmp_path / "bob.mp4"),
        ("task", "create", "--image", image, "--video", swapped["video_url"]),
        ("task", "create", "--image", own["file_url"], "--video", swapped["video_url"]),
    ):
        error = bob.run(*attempt, "--json", expect=5).error
        assert error["reason"] in {"TASK_NOT_FOUND", "UPLOAD_NOT_FOUND"}
    assert not (tmp_path / "bob.mp4").exists()
    assert bob.run("task", "list", "--user", "ann", "--json", expect=4).error["reason"] == "NOT_ALLOWED"
    bob.run("swap", face, clip, "-o", tmp_path / "bob.mp4")
    assert len(bob.run("task", "list", "-q").out.split()) == 1
    again = ann.run("swap", face, clip, "-o", tmp_path / "again.mp4", "--json").object
    assert again["task_id"] == task
    assert sha256(tmp_path / "again.mp4") == sha256(tmp_path / "ann.mp4")


@needs("node")
def test_a_client_in_another_language_gets_in_with_a_token_or_a_certificate_and_not_without(
    guarded: Server,
    serve: Serve,
    certs: dict[str, str],
    face: Path,
    clip: Path,
    tmp_path: Path,
    node_modules: Path,
) -> None:
    def node(server: Server, **asked: str) -> list[dict[str, Any]]:
        """What the client was answered; the last is the refusal, if there is one."""
        files = {"image": str(face), "video": str(clip), "user": "ann", "server": server.address}
        done = subprocess.run(
            ["node", ROOT / "tests/foreign/client.cjs", json.dumps({**files, **asked})],
            env={**os.environ, "NODE_PATH": str(node_modules)},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert answers, done.stderr
        assert done.returncode == answers[-1].get("code", 0), done
        return answers

    tls, secret = {"ca": certs["ca"]}, token(guarded, "ann")
    assert node(guarded, **tls)[-1]["code"] == UNAUTHENTICATED
    assert node(guarded, **tls, token=secret[:-1])[-1]["code"] == UNAUTHENTICATED
    assert node(guarded, **tls, token=secret, user="bob")[-1]["code"] == PERMISSION_DENIED
    assert node(guarded, token=secret)[-1]["code"] == UNAVAILABLE, "it talked in the clear"
    last = node(guarded, **tls, token=secret)[-1]["answer"]
    assert (last["status"], last["progress"]) == ("completed", 100)
    pair = ["--tls-cert", certs["server"], "--tls-key", certs["server_key"]]
    mutual = serve(tmp_path / "mutual", options=[*pair, "--tls-client-ca", certs["ca"], "--workers", "0"])
    shown = {"cert": certs["client"], "key": certs["client_key"], "only": "upload"}
    assert node(mutual, **tls, only="upload")[-1]["code"] == UNAVAILABLE
    assert node(mutual, **tls, **shown)[-1]["answer"]["status"] == "completed"
    assert node(mutual, **tls, **shown, user="bob")[-1]["code"] == PERMISSION_DENIED


@pytest.fixture(scope="session")
def node_modules(pytestconfig: pytest.Config) -> Path:
    """gRPC for Node, installed once and kept in pytest's cache."""
    assert pytestconfig.cache
    folder = pytestconfig.cache.mkdir("grpc-for-node")
    if not all((folder / "node_modules" / name.rpartition("@")[0]).exists() for name in GRPC_FOR_NODE):
        quiet = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        subprocess.run(["npm", "install", "--prefix", folder, *quiet, *GRPC_FOR_NODE], check=True)
    return folder / "node_modules"
