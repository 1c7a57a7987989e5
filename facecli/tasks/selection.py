"""Selections of one owner's tasks, for watchers of many tasks at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from facecli.tasks.task import Task

NEWEST = 1000  # tasks of an owner in a selection of all, besides those that have not ended


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSelection:
    """Tasks of an owner: those with these ids; with `all` also the newest and those that have not ended."""

    owner: str
    ids: frozenset[str]
    all: bool


class TaskState(NamedTuple):
    """A revision of a task, and whether it has ended at it."""

    revision: int
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSnapshot:
    """The states of the existing tasks of a selection, by id; `tasks` are some that have changed last."""

    states: Mapping[str, TaskState]
    tasks: Mapping[str, Task] = field(default_factory=dict)
