"""All rows of a repository, read page by page: a large database does not fit into memory."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar


class _Row(Protocol):
    @property
    def id(self) -> str: ...


RowT = TypeVar("RowT", bound=_Row)
RowT_co = TypeVar("RowT_co", bound=_Row, covariant=True)


class _Pages(Protocol[RowT_co]):
    def page(self, *, after: str) -> Sequence[RowT_co]: ...


def all_rows(pages: _Pages[RowT]) -> Iterator[RowT]:
    """Every row in the order of the ids. A row may be changed, or deleted, before the next one is read."""
    last = ""
    while page := pages.page(after=last):
        yield from page
        last = page[-1].id
