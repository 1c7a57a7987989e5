"""Exit codes: one real situation for every row of the table."""

import os
import signal
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from facecli.cli.shared.exits import EXITS, READER_GONE, Exit, exit_code
from facecli.core.errors import FacecliError
from tests.support.cli import DEADLINE, Ran, Server, facecli, process, run_server, started
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Resources for a situation; `request` provides further fixtures."""

    samples: Samples
    folder: Path
    server: Server
    request: pytest.FixtureRequest

    def slow_task(self) -> str:
        task: str = self.request.getfixturevalue("slow")
        return task


def a_success(resources: Resources) -> Ran:
    return facecli("upload", resources.samples.face, "--json")


def a_bug(resources: Resources) -> Ran:
    with run_server(resources.folder / "broken") as server:
        with sqlite3.connect(server.database()) as database:
            database.execute("PRAGMA foreign_keys=OFF")
            database.execute("DROP TABLE tasks")
        database.close()
        ran = facecli("task", "status", "6f2c", "--server", server.address, "--json")
        assert ran.error["reason"] == "INTERNAL"
        error_id = ran.error["message"].split()[2].rstrip(";")
        assert error_id in server.data.with_suffix(".log").read_text()
    return ran


def wrong_usage(resources: Resources) -> Ran:
    return facecli("upload", resources.folder / "nowhere.mp4", "--json")


def a_failed_task(resources: Resources) -> Ran:
    created = facecli(
        *("task", "create", "--image", resources.samples.face, "--video", resources.samples.clip, "-q"),
        *("--option", "fail_at=0.5"),
    )
    return facecli("task", "watch", created.out.strip(), "--json")


def a_missing_token(resources: Resources) -> Ran:
    with run_server(resources.folder / "closed", FACECLI_AUTH="token") as server:
        ran = facecli("task", "list", "--server", server.address, "--json")
    assert "FACECLI_TOKEN" in ran.error["hint"]
    return ran


def an_unknown_task(resources: Resources) -> Ran:
    return facecli("task", "status", "6f2c", "--json")


def a_missing_server(resources: Resources) -> Ran:
    with socket.socket() as bound:  # but not listening
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        return facecli("task", "list", "--server", address, "--retry-for", "1s", "--json")


def a_server_that_dies(resources: Resources) -> Ran:
    file = resources.folder / "long.mp4"
    with file.open("wb") as empty:
        os.truncate(empty.fileno(), 1024**3)
    command = ("upload", file, "--chunk-size", "1MiB", "--retry-for", "1", "--json", "--progress", "json")
    with (
        run_server(resources.folder / "dies") as server,
        started(*command, "--server", server.address) as upload,
    ):
        assert upload.stderr
        assert any('"stored": 1048576,' in line for line in upload.stderr)
        server.process.kill()
        out, err = upload.communicate(timeout=DEADLINE)
    file.unlink()
    return Ran(code=upload.returncode, out=out, err=err)


def a_damaged_result(resources: Resources) -> Ran:
    task = ("task", "create", "--image", resources.samples.face, "--video", resources.samples.clip)
    task_id = facecli(*task, "--watch", "-q").lines[0]
    with resources.server.result(task_id).open("r+b") as result:
        first = result.read(1)
        result.seek(0)
        result.write(bytes([first[0] ^ 1]))
    out = resources.folder / "out.mp4"
    ran = facecli("task", "download", task_id, "-o", out, "--json")
    assert not out.exists()
    return ran


def a_large_file(resources: Resources) -> Ran:
    file = resources.folder / "large.mp4"
    file.write_bytes(bytes(2_000_000))
    with run_server(resources.folder / "small", FACECLI_MAX_FILE_SIZE="1MB") as server:
        return facecli("upload", file, "--server", server.address, "--json")


def an_open_door(resources: Resources) -> Ran:
    return process("serve", "--bind", "0.0.0.0:0", "--data-dir", resources.folder / "open", "--json")


def a_slow_task(resources: Resources) -> Ran:
    return facecli("task", "watch", resources.slow_task(), "--timeout", "0.2", "--json")


def an_interrupt(resources: Resources) -> Ran:
    with started("task", "watch", resources.slow_task(), "--json") as watch:
        assert watch.stdout
        assert watch.stdout.readline()
        watch.send_signal(signal.SIGINT)
        out, err = watch.communicate(timeout=DEADLINE)
    return Ran(code=watch.returncode, out=out, err=err)


def a_lost_reader(resources: Resources) -> Ran:
    with started("task", "list", "--help") as command:
        assert command.stdout
        command.stdout.close()
        command.wait(DEADLINE)
        assert command.stderr
        return Ran(code=command.returncode, out="", err=command.stderr.read())


SITUATIONS: dict[int, Callable[[Resources], Ran]] = {
    0: a_success,
    1: a_bug,
    2: wrong_usage,
    3: a_failed_task,
    4: a_missing_token,
    5: an_unknown_task,
    6: a_missing_server,
    7: a_server_that_dies,
    8: a_damaged_result,
    9: a_large_file,
    10: an_open_door,
    124: a_slow_task,
    130: an_interrupt,
    141: a_lost_reader,
}


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("row", EXITS, ids=lambda row: f"{row.code} {row.meaning}")
def test_every_exit_code_is_reachable(
    row: Exit, samples: Samples, server: Server, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    resources = Resources(samples=samples, server=server, folder=tmp_path, request=request)
    ran = SITUATIONS[row.code](resources)
    assert ran.code == row.code, ran
    if row.code == READER_GONE:
        assert ran.err == ""
    elif row.code:
        assert ran.error["message"]
    else:
        assert ran.err.count("{") == 0


def test_codes_and_errors_in_the_table_are_unique() -> None:
    codes = [row.code for row in EXITS]
    kinds = [kind for row in EXITS for kind in row.errors]
    assert sorted(set(codes)) == codes
    assert len(set(kinds)) == len(kinds)


def test_every_error_has_an_exit_code_in_the_table() -> None:
    kinds: list[type[FacecliError]] = [FacecliError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        error = kind.__new__(kind)
        assert exit_code(error) in {row.code for row in EXITS} - {0}


def test_an_interrupt_ends_watching_several_tasks_at_once(slow: str) -> None:
    with started("task", "watch", slow, slow, slow, "--json") as watch:
        assert watch.stdout
        assert watch.stdout.readline()
        watch.send_signal(signal.SIGINT)
        _, err = watch.communicate(timeout=DEADLINE)
    assert watch.returncode == 130
    assert "Traceback" not in err
