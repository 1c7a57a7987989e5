"""Lists that a server sends page by page."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from facecli.core.errors import UnexpectedResponse

T = TypeVar("T")

MAX_PAGES = 100_000
MAX_EMPTY_PAGES = 100  # in a row


def all_items(
    fetch: Callable[[str], tuple[list[T], str]], *, unexpected: Callable[[str], UnexpectedResponse]
) -> Iterator[T]:
    """The items of all pages. `fetch` returns a page and the token of the next one, empty at the end.

    A list without an end, or in a circle, raises the error that `unexpected` makes.
    """
    token, empty = "", 0
    seen = set[int]()  # hashes, because a token may be long
    for _ in range(MAX_PAGES):
        items, token = fetch(token)
        yield from items
        if not token:
            return
        empty = 0 if items else empty + 1
        if hash(token) in seen:
            raise unexpected("the same page token twice")
        if empty >= MAX_EMPTY_PAGES:
            raise unexpected(f"{empty} empty pages of a list in a row")
        seen.add(hash(token))
    raise unexpected(f"more than {MAX_PAGES} pages of a list")
