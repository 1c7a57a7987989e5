"""The local server without one: the rule when it is started, and homes in which it cannot be."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.cli.shared.no_server import lacks_server
from facecli.config.loader import LoadedSettings
from facecli.config.settings import Settings
from facecli.core.errors import DiskFull, FfmpegMissing, InvalidInput
from facecli.local.directory import State, decoded, encoded
from facecli.local.server import LocalServer
from tests.support.cli import facecli
from tests.support.sockets import free_port


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def loaded(server: str, **more: object) -> LoadedSettings:
    return LoadedSettings(settings=Settings(server=server, **more), sources={})  # type: ignore[arg-type]


def test_a_server_is_lacking_if_nothing_listens() -> None:
    assert lacks_server(loaded(f"127.0.0.1:{free_port()}"))


def test_a_listening_or_configured_server_is_used(listening: str) -> None:
    assert not lacks_server(loaded(listening))
    away = f"127.0.0.1:{free_port()}"
    assert not lacks_server(LoadedSettings(settings=Settings(server=away), sources={"server": "option"}))
    assert not lacks_server(loaded(away, tls=True))


@pytest.mark.parametrize("home", ["/proc/facecli", "file/home"])
def test_a_home_that_takes_no_files_is_named(home: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / home
    with pytest.raises(InvalidInput, match=str(path)) as refused, LocalServer(path, Settings()):
        pass
    assert "facecli serve --data-dir DIR" in refused.value.hint


def test_an_error_at_the_start_of_the_server_is_that_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("FACECLI_FFMPEG", str(tmp_path / "no-ffmpeg"))
    failed = facecli("task", "list", "--server", "local", "--json")
    assert (failed.code, failed.error["reason"]) == (1, "FFMPEG_MISSING")
    assert "apt-get install ffmpeg" in failed.error["hint"]


def test_an_error_at_the_start_is_told_even_if_the_disk_takes_no_byte_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACECLI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FACECLI_FFMPEG", str(tmp_path / "no-ffmpeg"))
    with Path("/dev/full").open("r+b", buffering=0) as lock:
        ended = subprocess.run(
            [sys.executable, "-m", "facecli.local.process", str(tmp_path), str(lock.fileno())],
            pass_fds=[lock.fileno()],
            capture_output=True,
            check=False,
        )
    state = decoded(ended.stdout)
    assert state and isinstance(state.error, FfmpegMissing)


@pytest.mark.parametrize("error", [DiskFull("no room"), FfmpegMissing()])
def test_a_state_keeps_its_error(error: InvalidInput) -> None:
    state = decoded(encoded(State(error=error)))
    assert state and type(state.error) is type(error)
    assert (str(state.error), state.error.hint) == (str(error), error.hint)


@pytest.mark.parametrize("line", [b"", b'{"address": "127.'])
def test_a_state_that_is_being_written_is_none(line: bytes) -> None:
    assert decoded(line) is None
