"""Pagination of listings."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from facecli.core.errors import InvalidInput

PAGE_SIZE = 100  # rows; the default and the maximum


class _Listed(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Listed)


def page(size: int, fetch: Callable[[int], Sequence[T]]) -> tuple[Sequence[T], str]:
    """A page of `size` rows (0: the default), and the token of the next page, empty on the last one."""
    if size < 0:
        raise InvalidInput(f"page_size must be between 1 and {PAGE_SIZE}, not {size}")
    size = min(size or PAGE_SIZE, PAGE_SIZE)
    rows = fetch(size + 1)
    return rows[:size], rows[size - 1].id if len(rows) > size else ""
