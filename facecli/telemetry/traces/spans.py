"""Spans of calls and tasks, for a tracer that may be absent.

A place in a trace is a W3C traceparent: `00-TRACE-SPAN-FLAGS` in hexadecimal. Times are of `perf_counter`.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

TRACEPARENT = "traceparent"  # the header, and the key in gRPC's metadata

Attribute = str | int | float | bool

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Span(Protocol):
    """A call or a task while it goes on. Safe to use from many threads; nothing here raises."""

    @property
    def traceparent(self) -> str:
        """The place for spans of other processes below this one; empty without a trace."""
        ...

    def part(self, name: str, *, began: float, ended: float, **attributes: Attribute) -> None:
        """Record a part that has ended."""
        ...

    def end(self, *, error: str = "", **attributes: Attribute) -> None:
        """End the span; `error` is the reason of a failure."""
        ...


class Tracer(Protocol):
    """Starts spans. `parent` is a traceparent, or empty for a new trace."""

    def start(self, name: str, *, parent: str = "", **attributes: Attribute) -> Span: ...


class NoSpan:
    """Records nothing, and passes the place in the trace of a caller on."""

    def __init__(self, traceparent: str = "") -> None:
        self.traceparent = traceparent

    def part(self, name: str, *, began: float, ended: float, **attributes: Attribute) -> None: ...

    def end(self, *, error: str = "", **attributes: Attribute) -> None: ...


class NoTracer:
    """Records nothing."""

    def start(self, name: str, *, parent: str = "", **attributes: Attribute) -> Span:
        return NoSpan(parent)


NO_TRACER: Tracer = NoTracer()


def traceparent_in(headers: Mapping[str, object]) -> str:
    """The traceparent among headers with lower-case names; empty for none, or for one that is not valid."""
    value = headers.get(TRACEPARENT)
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else ""


@contextmanager
def recorded(span: Span) -> Iterator[Span]:
    """End the span with what is inside; an error there is that of the span."""
    try:
        yield span
    except BaseException as error:
        span.end(error=getattr(error, "reason", type(error).__name__))
        raise
    span.end()
