"""Log records: printable lines, whatever they contain, that cannot be forged, and fields."""

import json
import logging
import threading
from collections.abc import Iterator

import pytest

from facecli.core.events import EventBus, TaskEnded
from facecli.telemetry.event_log import log_events
from facecli.telemetry.logs import STACK_PREFIX, set_up_logging

LINE = "2026-01-01T00:00:00.000+00:00 info    facecli.audit user=root"
FORGED = f"ann\n{LINE}\r\x1b[2J\x1b]0;x\x07\x85\u2028\u202e\x00"


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Restore pytest's own handlers."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    logging.raiseExceptions = raising
    root.handlers[:] = handlers
    root.setLevel(level)


def fails() -> None:
    raise KeyError(FORGED)


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("stack", [False, True], ids=["a sentence", "a stack"])
def test_a_record_is_printable_lines(capsys: pytest.CaptureFixture[str], format: str, stack: bool) -> None:
    set_up_logging(level="info", format=format)
    log = logging.getLogger("facecli.test")
    try:
        fails()
    except KeyError:
        log.error("message with %s", FORGED, exc_info=stack)
    output = capsys.readouterr().err
    assert output.endswith("\n")
    first, *rest = output[:-1].split("\n")
    assert all(line.isprintable() for line in (first, *rest))
    assert all(line.startswith(STACK_PREFIX) for line in rest)
    assert len(rest) > 2 if stack and format == "text" else not rest
    assert output.isascii() or format == "text"
    assert ("Traceback" in output) == stack
    if format == "json":
        assert json.loads(output)["message"] == f"message with {FORGED}"
    else:
        assert "\\n2026-01-01" in output
        assert "\\x1b[2J" in output


def test_records_below_the_level_are_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(level="warning", format="text")
    logging.getLogger("facecli.test").info("dropped")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("format", ["text", "json"])
def test_an_exception_that_ends_a_thread_is_logged_in_printable_lines(
    capsys: pytest.CaptureFixture[str], format: str
) -> None:
    set_up_logging(level="info", format=format)
    thread = threading.Thread(target=fails, name=FORGED)
    thread.start()
    thread.join()
    output = capsys.readouterr().err
    first, *rest = output[:-1].split("\n")
    assert first.isprintable()
    assert all(line.isprintable() and line.startswith(STACK_PREFIX) for line in rest)
    assert "unhandled exception ended a thread" in output
    assert "KeyError" in output


@pytest.mark.parametrize("format", ["text", "json"])
def test_fields_follow_the_sentence(capsys: pytest.CaptureFixture[str], format: str) -> None:
    set_up_logging(level="info", format=format)
    logging.getLogger("facecli.test").info("task ended", extra={"task": "t1", "reason": "a b=c"})
    output = capsys.readouterr().err
    if format == "json":
        entry = json.loads(output)
        assert (entry["message"], entry["task"], entry["reason"]) == ("task ended", "t1", "a b=c")
    else:
        assert output.endswith('task ended task=t1 reason="a b=c"\n')


def test_events_are_logged_with_fields(caplog: pytest.LogCaptureFixture) -> None:
    bus = EventBus()
    log_events(bus)
    with caplog.at_level(logging.INFO):
        bus.publish(
            TaskEnded(
                task_id="t1",
                engine="mock",
                status="failed",
                reason="MEDIA_REFUSED",
                message="the file has no frames",
            )
        )
    (record,) = caplog.records
    assert (record.levelname, vars(record)["error"]) == ("WARNING", "the file has no frames")
    assert (record.message, vars(record)["task"], vars(record)["status"]) == ("task ended", "t1", "failed")


class Hostile:
    def __str__(self) -> str:
        raise KeyError(FORGED)


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize(
    ("template", "arguments", "extra", "said"),
    [
        ("%d frames", ("x",), {}, "'%d frames' raises TypeError"),
        ("%s and %s", ("x",), {}, "'%s and %s' raises TypeError"),
        ("done", ("x",), {}, "'done' raises TypeError"),
        ("%(name", ({"name": 1},), {}, "'%(name' raises ValueError"),
        ("%s", (Hostile(),), {}, "'%s' raises KeyError"),
        ("done", (), {"face": Hostile()}, "'done' raises KeyError"),
        (FORGED + "%d" * 1000, ("x",), {}, "raises TypeError"),
    ],
)
def test_a_badly_formatted_log_call_is_one_record_that_says_where(
    capsys: pytest.CaptureFixture[str],
    format: str,
    template: str,
    arguments: tuple[object, ...],
    extra: dict[str, object],
    said: str,
) -> None:
    set_up_logging(level="info", format=format)
    logging.getLogger("corner.model").warning(template, *arguments, extra=extra)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable()
    assert len(line) < 500
    assert "warning" in line
    assert "corner.model" in line
    assert "badly formatted log call at test_logs.py:" in line
    assert said in line


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_badly_formatted_log_call_keeps_its_exception(
    capsys: pytest.CaptureFixture[str], format: str
) -> None:
    set_up_logging(level="info", format=format)
    try:
        fails()
    except KeyError:
        logging.getLogger("corner.model").exception("%d", "x")
    output = capsys.readouterr().err
    assert "badly formatted log call" in output
    assert "in fails" in output


def test_a_handler_of_an_engine_prints_no_stack_either(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(level="info", format="text")
    engine, own = logging.getLogger("corner.model"), logging.StreamHandler()
    engine.addHandler(own)
    engine.info("%d", "x")
    engine.removeHandler(own)
    assert len(capsys.readouterr().err.splitlines()) == 1
