"""Errors become exit codes and words; the one table of both."""

import json
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from typer.exceptions import TyperException

from facecli.cli.shared.output import say
from facecli.core import errors
from facecli.core.errors import FacecliError

T = TypeVar("T")

BUG = 1
USAGE = 2
INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    code: int
    meaning: str
    errors: tuple[type[FacecliError], ...] = ()


EXITS = (
    Exit(code=0, meaning="done"),
    Exit(code=BUG, meaning="a bug, or a failure with no code of its own", errors=(FacecliError,)),
    Exit(
        code=USAGE, meaning="wrong usage or invalid input", errors=(errors.InvalidInput, errors.AlreadyExists)
    ),
    Exit(code=3, meaning="the task failed or was cancelled", errors=(errors.TaskUnsuccessful,)),
    Exit(
        code=4,
        meaning="not authenticated, or not allowed",
        errors=(errors.Unauthenticated, errors.NotAllowed),
    ),
    Exit(code=5, meaning="not found", errors=(errors.NotFound,)),
    Exit(code=6, meaning="the server cannot be reached", errors=(errors.Unavailable,)),
    Exit(
        code=7,
        meaning="incomplete, but resumable: run the same command again",
        errors=(errors.UploadInterrupted, errors.UploadUnfinished, errors.TakenOver, errors.IdleTooLong),
    ),
    Exit(
        code=8,
        meaning="integrity: bytes differ from what was promised",
        errors=(errors.BytesDiffer, errors.ChecksumMismatch),
    ),
    Exit(code=9, meaning="a limit or quota", errors=(errors.LimitReached,)),
    Exit(code=10, meaning="refused by policy, with the reason", errors=(errors.PolicyRefused,)),
    Exit(code=124, meaning="--timeout passed", errors=(errors.TimedOut,)),
    Exit(code=INTERRUPTED, meaning="interrupted", errors=(errors.Cancelled,)),
)
_CODES = {kind: row.code for row in EXITS for kind in row.errors}


class SomeFailed(Exception):
    """Of many things some failed: the exit code of the first, and the errors that were not said yet."""

    def __init__(self, code: int, unsaid: list[FacecliError]) -> None:
        self.code = code
        self.unsaid = unsaid
        super().__init__(f"{len(unsaid)} unsaid")


def exit_code(error: FacecliError) -> int:
    """The code of the error's class, or of the nearest class above it that has one."""
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)


def report(error: FacecliError, *, as_json: bool, hint: str = "") -> int:
    """Say on stderr what went wrong and what to do; the exit code."""
    code, hint = exit_code(error), hint or error.hint
    if as_json:
        words = {"reason": error.reason, "message": error.message, "hint": hint, "exit_code": code}
        asked = {"request_id": error.request_id} if error.request_id else {}
        say(json.dumps({"error": {**words, **asked}}))
    else:
        say(f"facecli: {error.message}" + (f"\n  hint: {hint}" if hint else ""))
    return code


def report_interrupt(*, as_json: bool) -> int:
    """Say that Ctrl-C ended it, at whatever moment that came, and how to go on; the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one more has nothing left to end
    return report(errors.Cancelled("interrupted; what the server has is kept"), as_json=as_json)


def report_usage(error: TyperException, *, as_json: bool) -> int:
    """Say that the command line itself is wrong, and where it is explained."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "facecli"
    # pydantic, which typer asks, puts these words in front of its sentences.
    wrong = errors.InvalidInput(error.format_message().replace("Value error, ", ""))
    return report(wrong, as_json=as_json, hint=f"{path} --help explains it")


def each(things: Iterable[T], work: Callable[[T], None], *, as_json: bool) -> None:
    """Do the work for every thing; one that fails does not keep the others back, but its code stays.

    People are told at once; JSON is kept back, because it is the last on stderr.
    """
    code, unsaid = 0, list[FacecliError]()
    for thing in things:
        try:
            work(thing)
        except FacecliError as error:
            code = code or exit_code(error)
            if as_json:
                unsaid.append(error)
            else:
                report(error, as_json=False)
    if code:
        raise SomeFailed(code, unsaid)


def table() -> str:
    """The exit codes for the help of the whole program."""
    return "\n".join(f"{row.code:>5}  {row.meaning}" for row in EXITS)
