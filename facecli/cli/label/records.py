"""Provenance records as JSON objects. Scripts rely on them: fields are added, never renamed or removed."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.tasks.provenance.chain import ChainedRecord


def record_object(record: "ChainedRecord") -> dict[str, Any]:
    return {
        **json.loads(record.record),
        "chain": {"position": record.position, "previous": record.previous, "sha256": record.sha256},
    }
