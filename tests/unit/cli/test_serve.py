"""`facecli serve`, `worker` and `doctor`."""

import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from facecli import __version__
from facecli.media.sandbox.landlock import landlock_abi
from facecli.media.sandbox.seccomp import can_forbid_sockets
from tests.support.cli import DEADLINE, Server, facecli, process, started
from tests.support.postgres import Postgres
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.slow


def test_serve_prints_its_address_as_json_and_stops_on_sigterm(tmp_path: Path) -> None:
    with started("serve", "--bind", "127.0.0.1:0", "--data-dir", tmp_path / "data", "--json") as serve:
        assert serve.stdout
        listening = json.loads(serve.stdout.readline())
        assert set(listening) == {"address"}
        assert facecli("task", "list", "--server", listening["address"]).code == 0
        serve.terminate()
        out, _ = serve.communicate(timeout=DEADLINE)
    assert (serve.returncode, out) == (0, "")


def test_serve_describes_itself_on_stderr_and_says_that_it_stops(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started("serve", "--bind", "127.0.0.1:0", "--data-dir", data, "--workers", "0") as serve:
        assert serve.stdout
        assert serve.stdout.readline().startswith("listening on 127.0.0.1:")
        serve.send_signal(signal.SIGINT)
        out, err = serve.communicate(timeout=DEADLINE)
    assert (serve.returncode, out) == (0, "")
    described = dict(re.findall(r"^  (data directory|\w+) +(.+)$", err, re.MULTILINE))
    assert described["data directory"].startswith(f"{data} (SQLite, ")
    assert "mock (default)" in described["engines"]
    assert described["access"].startswith("no authentication: ")
    assert described["encryption"].startswith("none; ")
    assert described["workers"].startswith("none here; ")
    assert described["durability"].startswith("power: ")
    assert described["limits"].startswith("files up to 20 GiB, 200 GiB per user, videos up to 3:00:00")
    assert described["expiry"] == "unfinished uploads after 7 d, results after 30 d"
    assert err.splitlines()[-1] == "stopped; all acknowledged data is stored"
    assert "shutting down: " in err


def test_a_json_log_begins_with_a_record_about_the_server(tmp_path: Path) -> None:
    serve = ("serve", "--bind", "127.0.0.1:0", "--data-dir", tmp_path / "data", "--workers", "0", "-q")
    with started(*serve, FACECLI_LOG_FORMAT="json") as running:
        assert running.stdout and running.stderr
        assert running.stdout.readline().startswith("127.0.0.1:")
        records = map(json.loads, running.stderr)
        record = next(record for record in records if record["message"] == "server started")
    assert (record["data_directory"].startswith(str(tmp_path)), record["workers"][:4]) == (True, "none")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--bind", "here"], "--bind 'here' is not HOST:PORT"),
        (["--workers", "-1"], "'--workers'"),
        (["--http-url", "facecli.example"], "--http-url 'facecli.example' is not a URL"),
        (["--engine", "magic"], "magic"),
        (["--database", "mysql://ann@host/facecli"], "databases of type 'mysql' are not supported"),
        (["--database", "sqlite:////tmp/facecli.db"], "the database must be a PostgreSQL"),
        (["--database", "postgresql://ann@host"], "names no database"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_serve_rejects_invalid_options(options: list[str], expected: str, tmp_path: Path) -> None:
    ran = facecli("serve", "--bind", "127.0.0.1:0", "--data-dir", tmp_path, "--json", *options)
    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.error["message"]


def test_a_bad_setting_is_named_with_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACECLI_LOG_LEVEL", "loud")
    ran = facecli("serve", "--data-dir", tmp_path, "--json")
    assert ran.code == 2
    assert ran.error["message"] == "FACECLI_LOG_LEVEL: 'loud' is not one of debug, info, warning, error"


def test_a_worker_needs_the_data_directory_of_a_server(tmp_path: Path) -> None:
    ran = facecli("worker", "--data-dir", tmp_path, "--json")
    assert ran.code == 2
    assert "start facecli serve on it first" in ran.error["message"]


def test_a_worker_runs_tasks_and_stops_on_sigterm(server: Server, samples: Samples, slow: str) -> None:
    # The server's own worker is busy with the slow one.
    with started("worker", "--data-dir", server.data, "--name", "second") as worker:
        ran = facecli("task", "create", "--image", samples.face, "--video", samples.clip, "--watch", "-q")
        assert ran.code == 0, ran.err
        worker.terminate()
        assert worker.wait(DEADLINE) == 0


def test_doctor_reports_an_unusable_database(server: Server) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECLI_DATABASE", "sqlite:////x")
        ran = facecli("doctor", "--server", server.address, "--json")
    (found,) = [check for check in ran.objects if check["check"] == "database"]
    assert (ran.code, found["ok"]) == (2, False)
    assert "must be a PostgreSQL" in found["found"]


def test_doctor_passes_every_check(server: Server) -> None:
    ran = facecli("doctor", "--server", server.address)
    assert ran.code == 0, ran
    assert [line.split()[:2] for line in ran.lines] == [
        ["✓", check]
        for check in (
            *("facecli", "ffmpeg", "sandbox", "disk"),
            *("proxy", "server", "clock", "route", "access", "versions"),
        )
    ]
    checks = {
        check["check"]: check for check in facecli("doctor", "--server", server.address, "--json").objects
    }
    assert all({"check", "ok", "found", "hint"} <= set(check) for check in checks.values())
    assert checks["server"]["max_file_size"] == 20 * 1024**3
    assert checks["access"]["found"] == (
        "unencrypted, on this machine; the server trusts the name that clients send; yours is local"
    )
    assert (checks["sandbox"]["landlock"], checks["sandbox"]["seccomp"]) == (
        landlock_abi(),
        can_forbid_sockets(),
    )
    assert checks["route"]["found"] == (
        "no header of a proxy reaches the server, which sees this machine as 127.0.0.1"
    )
    assert checks["versions"]["servers"] == {server.address: __version__}
    assert set(checks["versions"]["workers"]) <= {__version__}  # it may not have started yet
    assert facecli("doctor", "--server", server.address, "-q").out == ""


def test_doctor_checks_each_of_several_servers(server: Server) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{bound.getsockname()[1]}"
        ran = facecli("doctor", "--server", f"{server.address},{away}", "--json")
    checks = [(each["server"], each["check"], each["ok"]) for each in ran.objects if "server" in each]
    assert checks == [
        *((server.address, check, True) for check in ("proxy", "server", "clock", "route", "access")),
        *((away, "proxy", True), (away, "server", False)),
    ]
    assert (ran.code, ran.error["reason"]) == (6, "SERVER_UNREACHABLE")
    lines = facecli("doctor", "--server", f"{server.address},{away}").lines
    assert any(line.startswith(f"✗ server   {away}: the server {away} cannot be reached") for line in lines)


def test_doctor_checks_the_configured_database(server: Server, postgres: Postgres, postgresql: str) -> None:
    for url, code, expected in (
        (postgresql, 0, "✓ database PostgreSQL "),
        (postgres.url("nope"), 6, "✗ database the database is not available: "),
    ):
        ran = process("doctor", "--server", server.address, env={**os.environ, "FACECLI_DATABASE": url})
        assert ran.code == code
        if not code:
            assert ", schema none yet, " in ran.out
        assert any(line.startswith(expected) for line in ran.lines), ran


def test_doctor_names_failed_checks_with_hints() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        ran = facecli("doctor", "--server", address)
        assert ran.code == 6
        assert ran.lines[-1].strip().startswith("hint: is facecli serve running there?")
        assert ran.err == ""
        assert facecli("doctor", "--server", address, "-q").out == "server\n"
        as_json = facecli("doctor", "--server", address, "--json")
        assert not as_json.objects[-1]["ok"]
        assert as_json.error["reason"] == "SERVER_UNREACHABLE"
        waited = facecli("doctor", "--server", address, "--retry-for", "0.5s")
        assert (waited.code, waited.err) == (6, f"server {address} unreachable; retrying for 0.5s\n")
