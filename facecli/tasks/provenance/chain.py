"""The hash chain of provenance records: a change of one shows in every record after it.

The chain proves nothing about records that were cut off at its end; for that, keep an exported `sha256`
somewhere else.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from facecli.core.errors import BytesDiffer

FIRST_PREVIOUS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedRecord:
    """A record as stored: its JSON, and its link to the record before it."""

    position: int  # from 1, without gaps
    task_id: str
    time: float
    record: str  # JSON; `sha256` is that of `previous`, a line feed, and these very characters in UTF-8
    previous: str
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """The record and its link. Scripts rely on it: fields are added, never renamed or removed."""
        chain = {"position": self.position, "previous": self.previous, "sha256": self.sha256}
        return {**json.loads(self.record), "chain": chain}


class ProvenanceRepository(Protocol):
    """Stored provenance records. They are appended with the completion of their task, and never deleted."""

    def of_task(self, task_id: str) -> ChainedRecord | None:
        """The newest record of a task; None if it has none."""
        ...

    def all(self) -> Iterator[ChainedRecord]:
        """All records, in the order of the chain."""
        ...


def link(previous: str, record: str) -> str:
    """The sha256 of a record behind the one with the sha256 `previous`."""
    return hashlib.sha256(f"{previous}\n{record}".encode()).hexdigest()


def verified(records: Iterable[ChainedRecord]) -> Iterator[ChainedRecord]:
    """The records, each compared with its link; BytesDiffer at the first that was changed or is missing."""
    position, previous = 0, FIRST_PREVIOUS
    for each in records:
        if each.position != position + 1:
            raise BytesDiffer(f"the provenance record {position + 1} is missing")
        if each.previous != previous or each.sha256 != link(previous, each.record):
            raise BytesDiffer(f"the provenance record {each.position}, or the one before, was changed")
        position, previous = each.position, each.sha256
        yield each
