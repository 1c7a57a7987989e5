"""Which of a user's tasks a listing has."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Empty words ask for every status and engine; created from `since` on and before `until`, in seconds."""

    status: str = ""
    engine: str = ""
    since: float = 0.0
    until: float = math.inf
