"""Garbage collection while no server runs."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from facecli.core.garbage import Garbage


class Action(StrEnum):
    REMOVED = "removed"
    TO_REMOVE = "to remove"
    KEPT = "kept"


def collect(
    garbage: Iterable[Garbage], *, dry_run: bool, trust_clock: bool
) -> Iterator[tuple[Garbage, Action]]:
    """Remove garbage; yield each item with the action taken.

    Items that have expired by the wall clock alone are removed only with `trust_clock`.
    """
    for item in garbage:
        if not (item.orphan or trust_clock):
            yield item, Action.KEPT
        elif dry_run:
            yield item, Action.TO_REMOVE
        else:
            yield item, Action.REMOVED if item.remove() else Action.KEPT
