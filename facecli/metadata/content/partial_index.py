"""Partial indexes, and their conditions: a query uses one only if it has the condition in the same words."""

from sqlalchemy import Index, text

NOT_PENDING = "status <> 'pending'"
UNFINISHED = "status IN ('pending', 'processing')"
NAMES_UPLOAD = "CAST(options AS TEXT) LIKE '%/uploads/%'"  # of tasks


def partial_index(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))
