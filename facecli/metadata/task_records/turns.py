"""SqlTaskTurns: the pending task whose turn it is, read from the rows of tasks."""

from collections.abc import Collection, Mapping

from sqlalchemy import CTE, ColumnElement, Engine, ScalarSelect, case, func, literal_column, select

from facecli.metadata.database import reading
from facecli.metadata.tables import tasks
from facecli.tasks.task import Task, TaskStatus

# Literal, because a partial index serves no query whose status is a parameter.
_STATUS: ColumnElement[str] = literal_column(f"'{TaskStatus.PENDING}'")
_PENDING = tasks.c.status == _STATUS
_CLAIMED = tasks.c.status != _STATUS


def newest_turn() -> ScalarSelect[int]:
    """The number of claims so far."""
    others = tasks.alias("others")
    return select(func.coalesce(func.max(others.c.turn), 0)).scalar_subquery()


def turn_of_change(before: Task, after: Task) -> Mapping[str, ColumnElement[int] | int]:
    """The column `turn` of a task that is claimed, or given back; nothing for other changes."""
    if after.run not in {"", before.run}:
        return {"turn": newest_turn() + 1}
    if before.status is TaskStatus.PROCESSING and after.status is TaskStatus.PENDING:
        return {"turn": 0}
    return {}


class SqlTaskTurns:
    """TaskTurns in a database.

    The query steps through an index from owner to owner, so it reads a few rows for each owner with pending
    tasks, however many these are.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def next(self, engines: Collection[str]) -> str | None:
        owners = _waiting_owners()
        of_owner = tasks.c.owner == owners.c.owner
        first = (
            select(tasks.c.id)
            .where(of_owner, _PENDING, tasks.c.engine.in_(engines))
            .order_by(tasks.c.priority, tasks.c.created_at, tasks.c.id)
            .limit(1)
        )
        running = select(func.count()).where(of_owner, tasks.c.status == TaskStatus.PROCESSING)
        served = select(func.coalesce(func.max(tasks.c.turn), 0)).where(of_owner, _CLAIMED)
        values = {
            "id": first,
            "turn": first.with_only_columns(tasks.c.turn),
            "created_at": first.with_only_columns(tasks.c.created_at),
            "running": running,
            "served": served,
        }
        firsts = select(*(value.scalar_subquery().label(name) for name, value in values.items()))
        found = firsts.select_from(owners).subquery().c
        since = case((found.served > found.turn, found.served), else_=found.turn)
        query = (
            select(found.id)
            .where(found.id.is_not(None))
            .order_by(found.running, since, found.created_at, found.id)
            .limit(1)
        )
        with reading(self._engine) as connection:
            return connection.execute(query).scalar()


def _waiting_owners() -> CTE:
    """The owners with pending tasks, each read by one step in the index."""
    lowest = select(func.min(tasks.c.owner).label("owner")).where(_PENDING)
    owners = lowest.cte("owners", recursive=True)
    following = select(func.min(tasks.c.owner)).where(_PENDING, tasks.c.owner > owners.c.owner)
    step = following.correlate(owners).scalar_subquery()
    return owners.union_all(select(step).where(owners.c.owner.is_not(None)))
