"""Exceptions as one line: types, messages and frames, without file paths, source lines and locals."""

import traceback
from collections.abc import Iterator

from facecli.core.printable import shortened

MAX_CAUSES = 5  # exceptions of a chain
INNERMOST, OUTERMOST = 7, 3  # frames of one exception that are shown
MAX_MESSAGE = 500  # characters

_WORKER = (  # modules above the engine in every traceback
    "facecli.worker.",
    "facecli.tasks.workflow.",
    "facecli.tasks.checkpoints.",
    "facecli.tasks.steps.swap.",
)


def summary(error: BaseException) -> str:
    """As `ValueError: no face (at corner.find:12, corner.Corner.swap:31), caused by …`: innermost first."""
    return ", caused by ".join(_described(each) for each in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and its causes, as a traceback shows them."""
    seen = set[int]()
    following: BaseException | None = error
    while following is not None and id(following) not in seen and len(seen) < MAX_CAUSES:
        seen.add(id(following))
        yield following
        context = None if following.__suppress_context__ else following.__context__
        following = context if following.__cause__ is None else following.__cause__


def _described(error: BaseException) -> str:
    kind = type(error)
    is_plain = kind.__module__.partition(".")[0] in {"builtins", "facecli"}
    name = kind.__qualname__ if is_plain else f"{kind.__module__}.{kind.__qualname__}"
    message = shortened(_message(error), MAX_MESSAGE)
    frames = list(_frames(error))
    if hidden := len(frames[INNERMOST:-OUTERMOST]):
        frames[INNERMOST:-OUTERMOST] = [f"… {hidden} more"]
    where = f" (at {', '.join(frames)})" if frames else ""
    return f"{name}: {message}{where}" if message else f"{name}{where}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # in the code of an engine
        return f"a message that raises {type(failure).__name__}"


def _frames(error: BaseException) -> Iterator[str]:
    """`module.function:line` of each frame, the innermost first."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        function = f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_qualname}"
        if not function.startswith(_WORKER):
            yield f"{function}:{line}"
