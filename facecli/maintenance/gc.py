"""Garbage collection while no server runs."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from facecli.core.garbage import Garbage, OrphanPolicy, remove


class Action(StrEnum):
    REMOVED = "removed"
    TO_REMOVE = "to remove"
    KEPT = "kept"


def collect(
    garbage: Iterable[Garbage],
    *,
    policy: OrphanPolicy,
    dry_run: bool,
    trust_clock: bool,
    trust_database: bool,
) -> Iterator[tuple[Garbage, Action]]:
    """Remove and log garbage; yield each item with the action taken.

    Items that have expired by the wall clock alone are removed only with `trust_clock`, young orphans, which
    may belong to a newer database, only with `trust_database`.
    """
    items = list(garbage)
    young = {item.id for item in policy.split(item for item in items if item.orphan)[1]}
    for item in items:
        trusted = trust_clock if not item.orphan else trust_database or item.id not in young
        yield item, _collect(item, policy.clock, dry_run=dry_run) if trusted else Action.KEPT


def _collect(item: Garbage, clock: Callable[[], float], *, dry_run: bool) -> Action:
    if dry_run:
        return Action.TO_REMOVE
    return Action.REMOVED if remove(item, now=clock()) else Action.KEPT
