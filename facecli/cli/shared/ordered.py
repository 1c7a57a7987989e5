"""Results of several arguments, in the order of the arguments."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from facecli.cli.shared.output import Output


class OrderedResults:
    """Prints the result of each argument as soon as those of all arguments before it are known.

    JSON lines name their subject and are printed at once. With `positional`, --quiet prints one line for
    every argument, empty if it has no result, so that line N belongs to argument N.
    """

    def __init__(self, output: Output, count: int, *, positional: bool = False) -> None:
        self._output = output
        self._positional = positional and output.quiet and not output.as_json and count > 1
        self._pending: dict[int, tuple[Mapping[str, Any], str, str] | None] = {}
        self._next = 0
        self._count = count
        self._lock = threading.Lock()

    def show(self, index: int, value: Mapping[str, Any], *, text: str, short: str) -> None:
        """Print the result of an argument when its turn comes."""
        if self._output.as_json:
            self._output.show(value, text=text, short=short)
        else:
            self._settle(index, (value, text, short))

    def skip(self, index: int) -> None:
        """Note that an argument has no result."""
        self._settle(index, None)

    @contextmanager
    def to_the_end(self) -> Iterator[None]:
        """On exit print the results whose turn has not come, also after an error."""
        try:
            yield
        finally:
            with self._lock:
                while self._next < self._count:
                    self._print_next()

    def _settle(self, index: int, result: tuple[Mapping[str, Any], str, str] | None) -> None:
        with self._lock:
            self._pending.setdefault(index, result)
            while self._next in self._pending:
                self._print_next()

    def _print_next(self) -> None:
        result = self._pending.pop(self._next, None)
        self._next += 1
        if result:
            value, text, short = result
            self._output.show(value, text=text, short=short)
        if self._positional and not (result and result[2]):
            self._output.blank()
