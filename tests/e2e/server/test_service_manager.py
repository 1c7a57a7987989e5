"""A server and a worker as services: states for systemd, and a log level that changes while they run."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.e2e.process import CommandProcess
from tests.support.e2e.server import Server
from tests.support.eventually import eventually
from tests.support.monitoring.notify_socket import LONG_SECONDS, NotifySocket, notify_socket


@pytest.fixture
def found(tmp_path: Path) -> Iterator[NotifySocket]:
    with notify_socket(tmp_path, abstract=True, watchdog=LONG_SECONDS) as found:
        yield found


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An empty config file."""
    file = tmp_path / "config.toml"
    file.touch()
    return file


def set_level(config: Path, level: str) -> None:
    config.write_text(f'[default]\nlog_level = "{level}"\n')


def test_a_server_reports_its_states_and_rereads_the_log_level(
    tmp_path: Path, found: NotifySocket, config: Path
) -> None:
    environment = {**found.environment, "FACECLI_CONFIG": str(config), "FACECLI_LOG_FORMAT": "json"}
    options = ("--http", "127.0.0.1:0")
    with Server(tmp_path / "data", environment=environment, options=options) as server:
        assert found.wait_for("READY")["STATUS"] == f"listening on {server.address}"
        found.wait_for("WATCHDOG")
        server.wait_for_log('"worker started"')
        for worker in server.workers():
            assert b"NOTIFY_SOCKET=" not in Path(f"/proc/{worker}/environ").read_bytes()

        set_level(config, "error")
        _reload(server.pid, found)
        first = server.workers()
        server.kill_worker()  # a warning, which the log no longer shows
        eventually(lambda: set(server.workers()) - set(first))
        set_level(config, "loud")
        _reload(server.pid, found)
        server.wait_for_log("'loud' is not one of debug")
        set_level(config, "info")
        _reload(server.pid, found)
        server.kill_worker()
        eventually(lambda: len(_records(server.log, "worker started")) >= 2)
        levels = [record["log_level"] for record in _records(server.log, "log level set")]
        assert levels == ["info"]  # the change to error hid its own record
        assert len(_records(server.log, "worker process exited; will be restarted")) == 1

        assert server.terminate() == 0
        assert found.wait_for("STOPPING")


def test_a_worker_reports_its_states_and_rereads_the_log_level(
    server: Server, found: NotifySocket, config: Path
) -> None:
    environment = {**found.environment, "FACECLI_CONFIG": str(config)}
    command = ("worker", "--data-dir", server.data, "--name", "extra")
    with CommandProcess(*command, environment=environment) as worker:
        found.wait_for("READY")
        found.wait_for("WATCHDOG")
        set_level(config, "debug")
        _reload(worker.pid, found)
        worker.terminate()
        found.wait_for("STOPPING")
        assert "log level set" in worker.wait().err


def _reload(pid: int, found: NotifySocket) -> None:
    os.kill(pid, signal.SIGHUP)
    found.wait_for("RELOADING")
    found.wait_for("READY")


def _records(log: str, message: str) -> list[dict[str, str]]:
    entries = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [entry for entry in entries if entry["message"] == message]
