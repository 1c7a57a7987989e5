"""TaskFilter: the criteria of a task list."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Status and engine, empty for any; creation time from `since` (inclusive) to `until`, in seconds."""

    status: str = ""
    engine: str = ""
    since: float = 0.0
    until: float = math.inf
