"""The log of a task with an engine plug-in that logs and raises: what its owner sees, and what not."""

import os
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from facecli.engines.registry import GROUP
from tests.e2e.conftest import Serve
from tests.support.e2e.process import run

ENGINE = """
import logging
import threading

log = logging.getLogger("shaky.model")


class NoFace(Exception):
    pass


class Shaky:
    name, version, needs = "shaky", "1", ()

    def __init__(self, media):
        pass

    def check(self, options):
        pass

    def swap(self, job, *, progress, stopped):
        log.debug("a detail")
        log.info("loading %s", job.face, extra={"device": "cuda:0"})
        thread = threading.Thread(target=log.warning, args=("out of memory; on the CPU\\x1b[2J",))
        thread.start()
        thread.join()
        for number in range(int(job.options.get("flood", "0"))):
            log.info("frame %d", number)
        self.find(job)

    def find(self, job):
        local = "a secret of the engine"
        try:
            raise OSError(f"cannot read {job.video}")
        except OSError as error:
            raise NoFace("no face; postgresql://ann:hunter2@db/models") from error
"""


@pytest.fixture
def plugin(tmp_path: Path) -> dict[str, str]:
    """Install the engine; return the environment that finds it."""
    about = tmp_path / "site-packages" / "shaky-1.dist-info"
    about.mkdir(parents=True)
    (about.parent / "shaky.py").write_text(ENGINE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shaky\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\nshaky = shaky:Shaky\n")
    return {"PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(about.parent)])}


def rows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM task_logs").fetchone()[0])


def test_the_owner_sees_why_an_engine_failed(
    plugin: dict[str, str], serve: Serve, face: Path, clip: Path, tmp_path: Path
) -> None:
    quiet = {**plugin, "FACECLI_LOG_LEVEL": "error"}  # of the server's own log
    server = serve(tmp_path / "my data", environment=quiet, allow_tracebacks=True)
    to = ("--server", server.address)
    failed = run("swap", face, clip, "-o", tmp_path / "x.mp4", "--engine", "shaky", *to, "--json", expect=3)
    command = failed.error["hint"].removesuffix(" shows why")
    shown = run(*shlex.split(command)[1:])
    assert [line.split(" ", 1)[1] for line in shown.out.splitlines()[:3]] == [
        "info    facecli.events task started engine=shaky attempt=1",
        "info    shaky.model loading …/data device=cuda:0",
        r"warning shaky.model out of memory; on the CPU\x1b[2J",
    ]
    error = shown.out.splitlines()[3]
    assert ": shaky.NoFace: no face; postgresql://***@db/models (at shaky.Shaky.find:" in error
    assert ", caused by OSError: cannot read …/data (at shaky.Shaky.find:" in error
    for hidden in ("a detail", "hunter2", "a secret of the engine", "my data", str(tmp_path), "\x1b", ".py"):
        assert hidden not in shown.out
    task_id = shlex.split(command)[3]
    run("task", "logs", task_id, *to, "--user", "mallory", expect=5)

    run("backup", tmp_path / "backup", "--data-dir", server.data)
    run("restore", tmp_path / "backup", "--data-dir", tmp_path / "restored")
    assert (
        rows(tmp_path / "restored" / "facecli.db")
        == rows(server.data / "facecli.db")
        == len(shown.out.splitlines())
    )
    run("task", "delete", task_id, *to)
    assert rows(server.data / "facecli.db") == 0


def test_a_flood_of_records_keeps_the_newest_and_says_so(
    plugin: dict[str, str], serve: Serve, face: Path, clip: Path
) -> None:
    server = serve(environment=plugin, allow_tracebacks=True)
    create = ("task", "create", "--image", face, "--video", clip, "--engine", "shaky", "--watch", "-q")
    created = run(*create, "--option", "flood=5000", "--server", server.address, expect=3)
    task_id = created.out.splitlines()[0]
    shown = run("task", "logs", task_id, "--server", server.address)
    texts = shown.out.splitlines()
    assert len(texts) == 200
    assert texts[0].endswith("frame 4802")
    assert "shaky.NoFace" in texts[198]
    assert shown.err == "4805 older records were dropped; these are the newest 200\n"
