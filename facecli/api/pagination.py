"""Cuts a listing into pages."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from facecli.core.errors import InvalidInput

PAGE_SIZE = 100  # and the most


class _Listed(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Listed)


def page(size: int, listed: Callable[[int], Sequence[T]]) -> tuple[Sequence[T], str]:
    """A page of `size` (0: the default), and the token of the next one, empty when there is none."""
    if size < 0:
        raise InvalidInput(f"a page has 1 to {PAGE_SIZE} rows, not {size}")
    size = min(size or PAGE_SIZE, PAGE_SIZE)
    found = listed(size + 1)
    return found[:size], found[size - 1].id if len(found) > size else ""
