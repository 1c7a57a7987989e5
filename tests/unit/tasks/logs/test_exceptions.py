"""Summaries of exceptions: type, message, frames and causes on one line, and nothing else."""

import re
from collections.abc import Callable

import pytest

from facecli.core.errors import InvalidInput
from facecli.tasks.logs.exceptions import INNERMOST, MAX_CAUSES, MAX_MESSAGE, OUTERMOST, summary

HERE = re.escape(__name__)


def caught(work: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as raised:
        work()
    return raised.value


class Detector:
    class NoFace(Exception):
        pass

    def find(self) -> None:
        a_local_secret = "hunter2"
        raise self.NoFace(f"no face in {len(a_local_secret)} pictures")


def test_type_message_and_frames_are_named_without_paths_lines_and_locals() -> None:
    text = summary(caught(Detector().find))
    frames = rf"{HERE}\.Detector\.find:\d+, {HERE}\.caught:\d+"
    assert re.fullmatch(rf"{HERE}\.Detector\.NoFace: no face in 7 pictures \(at {frames}\)", text)
    assert "hunter2" not in text
    assert "/" not in text
    assert ".py" not in text


def test_causes_follow() -> None:
    def wraps() -> None:
        try:
            raise OSError("disk")
        except OSError as error:
            raise InvalidInput("model missing") from error

    def replaces() -> None:
        try:
            wraps()
        except InvalidInput:
            raise KeyError("during") from None

    assert re.fullmatch(
        r"InvalidInput: model missing \(at [^)]+\), caused by OSError: disk \(at [^)]+\)",
        summary(caught(wraps)),
    )
    assert "caused by" not in summary(caught(replaces))


def test_long_tracebacks_messages_and_chains_are_bounded() -> None:
    def deep(depth: int) -> None:
        if depth:
            deep(depth - 1)
        raise ValueError("x" * 10_000)

    text = summary(caught(lambda: deep(50)))
    assert text.count(", ") == INNERMOST + OUTERMOST
    assert f", … {53 - INNERMOST - OUTERMOST} more, " in text
    assert re.search(
        r"\(at [\w.<>]+\.deep:\d+, .*\.deep:\d+, [\w.<>]+<lambda>:\d+, [\w.]+\.caught:\d+\)$", text
    )
    assert "x" * (MAX_MESSAGE + 1) not in text

    first = last = ValueError("0")
    for number in range(1, 20):
        last.__cause__ = ValueError(str(number))
        last = last.__cause__
    assert summary(first).count("caused by") == MAX_CAUSES - 1
    last.__cause__ = first
    assert summary(first)


def test_an_exception_in_a_circle_ends() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert summary(one) == "ValueError: one, caused by ValueError: two"


@pytest.mark.parametrize(("error", "text"), [(ValueError(), "ValueError"), (KeyError("a"), "KeyError: 'a'")])
def test_an_exception_without_frames_or_message_is_its_name(error: Exception, text: str) -> None:
    assert summary(error) == text


def test_a_message_that_raises_is_replaced() -> None:
    class Hostile(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert summary(Hostile()).endswith(".Hostile: a message that raises RuntimeError")


def test_frames_of_the_worker_itself_are_left_out() -> None:
    namespace = {"__name__": "facecli.tasks.workflow"}
    exec("def run(work):\n    work()", namespace)
    text = summary(caught(lambda: namespace["run"](Detector().find)))  # type: ignore[operator]
    assert "facecli.tasks.workflow" not in text
    assert "Detector.find" in text
