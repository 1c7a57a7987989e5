"""Exit codes, and the reporting of errors on stderr. Commands name theirs under `Exit codes:`."""

import json
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from typer.exceptions import TyperException

from facecli.cli.shared.interrupts import INTERRUPTED, default_interruption
from facecli.cli.shared.output import write_stderr
from facecli.cli.shared.program import runnable
from facecli.core import errors
from facecli.core.damage import StoredBytesDamaged
from facecli.core.errors import FacecliError
from facecli.core.printable import escaped_lines

T = TypeVar("T")

BUG = 1
USAGE = 2
READER_GONE = 141  # as a shell reports the end by SIGPIPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """Row of the table of exit codes."""

    code: int
    meaning: str
    errors: tuple[type[FacecliError], ...] = ()


EXITS = (
    Exit(code=0, meaning="success"),
    Exit(code=BUG, meaning="any other failure, or a bug", errors=(FacecliError,)),
    Exit(code=USAGE, meaning="invalid usage or input", errors=(errors.InvalidInput, errors.AlreadyExists)),
    Exit(
        code=3,
        meaning="the task failed or was cancelled, or some jobs of a batch failed",
        errors=(errors.TaskUnsuccessful,),
    ),
    Exit(
        code=4,
        meaning="unauthenticated or forbidden",
        errors=(errors.Unauthenticated, errors.NotAllowed),
    ),
    Exit(code=5, meaning="not found", errors=(errors.NotFound,)),
    Exit(code=6, meaning="server unreachable", errors=(errors.Unavailable,)),
    Exit(
        code=7,
        meaning="incomplete but resumable; run the same command again",
        errors=(errors.UploadInterrupted, errors.UploadUnfinished, errors.TakenOver, errors.IdleTooLong),
    ),
    Exit(
        code=8,
        meaning="integrity check failed, or an invalid response",
        errors=(
            errors.BytesDiffer,
            errors.ChecksumMismatch,
            errors.UnexpectedResponse,
            StoredBytesDamaged,
        ),
    ),
    Exit(code=9, meaning="limit or quota reached", errors=(errors.LimitReached,)),
    Exit(code=10, meaning="refused by policy", errors=(errors.PolicyRefused,)),
    Exit(code=124, meaning="--timeout expired", errors=(errors.TimedOut,)),
    Exit(code=INTERRUPTED, meaning="interrupted", errors=(errors.Cancelled,)),
    Exit(
        code=READER_GONE,
        meaning="the reader of the output ended first, as by SIGPIPE",
        errors=(errors.ReaderGone,),
    ),
)
_CODES = {kind: row.code for row in EXITS for kind in row.errors}


class SomeFailed(Exception):
    """Failure of some of several items: the first one's exit code, and the errors not yet reported."""

    def __init__(self, code: int, unreported: list[FacecliError]) -> None:
        self.code = code
        self.unreported = unreported
        super().__init__(f"{len(unreported)} unreported")


def exit_code(error: FacecliError) -> int:
    """The code of the error's class, or of its nearest base class that has one."""
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)


def report(error: FacecliError, *, as_json: bool, hint: str = "") -> int:
    """Write the error and its hint to stderr, but nothing when the reader has gone; the exit code."""
    code, hint = exit_code(error), hint or error.hint
    if code == READER_GONE:
        return code
    if as_json:
        fields = {"reason": error.reason, "message": error.message, "hint": hint, "exit_code": code}
        request = {"request_id": error.request_id} if error.request_id else {}
        write_stderr(json.dumps({"error": {**fields, **request}}))
    else:
        text = f"facecli: {error.message}" + (f"\n  hint: {hint}" if hint else "")
        write_stderr(runnable(escaped_lines(text)))
    return code


def report_interrupt(arguments: Sequence[str]) -> int:
    """Report that Ctrl-C ended the command line with these arguments; the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command is ending already
    return report(default_interruption(arguments), as_json="--json" in arguments)


def report_usage(error: TyperException, *, as_json: bool, arguments: Sequence[str]) -> int:
    """Report an invalid command line, and refer to its help or to a file that looks like an option."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "facecli"
    # pydantic, which typer uses, prefixes its messages with this.
    invalid = errors.InvalidInput(error.format_message().replace("Value error, ", ""))
    file = next((each for each in arguments if each.startswith("-") and _is_file(each)), None)
    hint = f"for the file of this name write ./{file}" if file else f"see {path} --help"
    return report(invalid, as_json=as_json, hint=hint)


def _is_file(argument: str) -> bool:
    return argument != "-" and os.path.isfile(argument)  # noqa: PTH113  (false for an impossible name)


def each(items: Iterable[T], action: Callable[[T], None], *, as_json: bool) -> None:
    """Apply the action to every item; a failure does not stop the others, but sets the exit code.

    Text errors are reported at once; JSON errors at the end, as the last lines on stderr. What fails alike
    for several items, such as a server that is away, is reported once.
    """
    code, unreported, messages = 0, list[FacecliError](), set[str]()
    for item in items:
        try:
            action(item)
        except errors.OutputFailed:
            raise  # of every other item, too
        except FacecliError as error:
            code = code or exit_code(error)
            if error.message in messages:
                continue
            messages.add(error.message)
            if as_json:
                unreported.append(error)
            else:
                report(error, as_json=False)
    if code:
        raise SomeFailed(code, unreported)


def table() -> str:
    """The exit codes as text for `facecli --help`."""
    return "\n".join(f"{row.code:>5}  {row.meaning}" for row in EXITS)
