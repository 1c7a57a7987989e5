"""The log level of a running process: from the config file again, and from a server to its workers."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.bootstrap.service.log_level import obey, order, reread_log_level
from facecli.tasks.logs.handler import captured
from facecli.tasks.logs.run_log import RunLog
from facecli.telemetry.logs import set_up_logging


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "config.toml"
    monkeypatch.setenv("FACECLI_CONFIG", str(file))
    monkeypatch.delenv("FACECLI_LOG_LEVEL", raising=False)
    return file


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The levels of the records that the log shows now, one logged at each."""
    log = logging.getLogger("facecli.test")
    capsys.readouterr()
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        log.log(level, "a record")
    return [line.split()[1] for line in capsys.readouterr().err.splitlines()]


def test_the_profile_of_the_start_decides(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(level="info", format="text")
    config.write_text('[default]\nlog_level = "error"\n[studio]\nlog_level = "debug"\n')
    levels: list[str] = []
    reread_log_level("studio", tell=levels.append)
    assert levels == ["debug"]
    assert shown(capsys) == ["debug", "info", "warning", "error"]
    reread_log_level("")
    assert shown(capsys) == ["error"]


def test_a_broken_config_file_changes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(level="warning", format="text")
    config.write_text("[default")
    levels: list[str] = []
    reread_log_level("", tell=levels.append)
    assert "not valid TOML" in capsys.readouterr().err
    assert not levels
    assert shown(capsys) == ["warning", "error"]


def test_a_variable_wins_over_the_file_and_the_log_says_so(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACECLI_LOG_LEVEL", "warning")
    set_up_logging(level="warning", format="text")
    config.write_text('[default]\nlog_level = "debug"\n')
    reread_log_level("")
    assert "variable=FACECLI_LOG_LEVEL" in capsys.readouterr().err
    assert shown(capsys) == ["warning", "error"]


def test_a_worker_obeys_only_the_lines_of_its_server(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(level="info", format="text")
    for line in ("log_level loud", "level debug", "log_level", ""):
        obey(line)
    assert shown(capsys) == ["info", "warning", "error"]
    obey(order("error"))
    assert shown(capsys) == ["error"]


class NoLogs:
    """Stores no record."""

    def append(self, *arguments: object, **more: object) -> None: ...


def test_the_end_of_a_task_keeps_a_level_that_was_set_meanwhile(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(level="warning", format="text")
    with captured(RunLog(NoLogs(), "t1", run="r1")):  # type: ignore[arg-type]
        assert shown(capsys) == ["warning", "error"]
        obey(order("debug"))
        assert shown(capsys) == ["debug", "info", "warning", "error"]
    assert shown(capsys) == ["debug", "info", "warning", "error"]
    with captured(RunLog(NoLogs(), "t1", run="r1")):  # type: ignore[arg-type]
        obey(order("error"))
    assert shown(capsys) == ["error"]
    assert not logging.getLogger("facecli.test").isEnabledFor(logging.WARNING)
