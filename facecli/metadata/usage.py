"""Usage of users, for the quota.

Theory of operation. Triggers on uploads and tasks insert a row for each change of what an owner uses, so the
usage is the sum of these rows, whichever server has written, also one of an earlier version. They insert and
never update, so transactions of one owner do not wait for each other, and none can deadlock. An admission,
and a periodic job, replace the changes of an owner by their sum once there are many. Two that do so at the
same time add up different rows: each only those that it has deleted.
"""

from collections.abc import Iterable
from dataclasses import astuple
from operator import sub
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Select,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
)

from facecli.core.errors import QuotaReached
from facecli.metadata.database import reading, writing
from facecli.metadata.tables import tasks, uploads, usage_changes
from facecli.tasks.task import TaskStatus
from facecli.uploads.quota import Admit, Usage
from facecli.uploads.upload import UploadStatus

MOST_CHANGES = 50  # rows of an owner that are added up each time
_NAMES = ("stored", "unfinished", "waiting")


class SqlUsageRepository:
    """UsageRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, owner: str) -> Usage:
        with reading(self._engine) as connection:
            return _usage(connection, owner)

    def compact(self) -> int:
        many = (
            select(usage_changes.c.owner).group_by(usage_changes.c.owner).having(func.count() > MOST_CHANGES)
        )
        with reading(self._engine) as connection:
            owners = connection.execute(many).scalars().all()
        for owner in owners:
            with writing(self._engine) as connection:
                _compact(connection, owner)
        return len(owners)

    def wrong(self) -> dict[str, tuple[Usage, Usage]]:
        with reading(self._engine) as connection:
            found, real = (_by_owner(connection, query) for query in (_CHANGES, _ROWS))
        owners = sorted(found.keys() | real.keys())
        pairs = {owner: (found.get(owner, _UNUSED), real.get(owner, _UNUSED)) for owner in owners}
        return {owner: pair for owner, pair in pairs.items() if pair[0] != pair[1]}

    def correct(self, owner: str, *, found: Usage, real: Usage) -> None:
        with writing(self._engine) as connection:
            _insert(connection, owner, map(sub, astuple(real), astuple(found)))


def check_usage(connection: Connection, owners: Iterable[str], admit: Admit | None) -> None:
    """Call `admit` with the usage of each owner; nobody else can add to it before this transaction ends."""
    if admit:
        for owner in sorted(owners):
            lock_usage(connection, owner)
            count = select(func.count()).select_from(usage_changes).where(usage_changes.c.owner == owner)
            if connection.execute(count).scalar_one() > MOST_CHANGES:
                _compact(connection, owner)
            admit(owner, _usage(connection, owner))


def lock_usage(connection: Connection, owner: str) -> None:
    """Let one transaction at a time add to the usage of an owner.

    PostgreSQL adds up what it saw before the others; SQLite has one writing transaction anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(owner, 0))))


def check_room(connection: Connection, owner: str, size: int, *, limit: int) -> None:
    """Raise QuotaReached when a result of `size` bytes would take its owner beyond the limit."""
    used = int(connection.execute(select(stored_by(owner))).scalar_one())
    if used + size > limit:
        raise QuotaReached(
            f"the result has {size} bytes, and {owner} has {used} on this server; the quota is {limit}"
        )


def stored_by(owner: str) -> ColumnElement[int]:
    """Bytes of the uploads and results of a user, as an expression."""
    stored = select(func.coalesce(func.sum(usage_changes.c.stored), 0)).where(usage_changes.c.owner == owner)
    return stored.scalar_subquery()


def _usage(connection: Connection, owner: str) -> Usage:
    return _by_owner(connection, _CHANGES.where(usage_changes.c.owner == owner)).get(owner, _UNUSED)


def _by_owner(connection: Connection, query: Select[Any]) -> dict[str, Usage]:
    return {
        owner: Usage(**{name: int(value) for name, value in zip(_NAMES, values, strict=True)})
        for owner, *values in connection.execute(query)
    }


def _compact(connection: Connection, owner: str) -> None:
    columns = [usage_changes.c[name] for name in _NAMES]
    changes = connection.execute(
        delete(usage_changes).where(usage_changes.c.owner == owner).returning(*columns)
    ).all()
    if changes:
        _insert(connection, owner, map(sum, zip(*changes, strict=True)))


def _insert(connection: Connection, owner: str, values: Iterable[int]) -> None:
    change = dict(zip(_NAMES, values, strict=True))
    if any(change.values()):
        connection.execute(insert(usage_changes).values(owner=owner, **change))


_UNUSED = Usage(stored=0, unfinished=0, waiting=0)
_CHANGES = select(usage_changes.c.owner, *(func.sum(usage_changes.c[name]) for name in _NAMES)).group_by(
    usage_changes.c.owner
)

# The size limit of an upload whose size is unknown.
_LARGEST_SIZE = cast(uploads.c.total_chunks, BigInteger) * uploads.c.chunk_size
_OF_ROWS = union_all(
    select(
        uploads.c.owner,
        func.coalesce(uploads.c.size, _LARGEST_SIZE).label("stored"),
        case((uploads.c.status == UploadStatus.INCOMPLETE, 1), else_=0).label("unfinished"),
        literal(0).label("waiting"),
    ),
    select(
        tasks.c.owner,
        func.coalesce(tasks.c.result_size + func.coalesce(tasks.c.sheet_size, 0), 0),
        literal(0),
        case((tasks.c.status == TaskStatus.PENDING, 1), else_=0),
    ),
).subquery()
_ROWS = select(_OF_ROWS.c.owner, *(func.sum(_OF_ROWS.c[name]) for name in _NAMES)).group_by(_OF_ROWS.c.owner)
