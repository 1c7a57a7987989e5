"""The audit log: one record per call that can change something, with its user, subjects, outcome and address.

An audit record names uploads and tasks by id. File names and credentials never appear in it.
"""

import json
import logging
import re
from collections.abc import Sequence

from facecli.core.events import CallEnded, Event, EventBus

MAX_SUBJECTS = 16  # named per call; of the others only the number is given

_PLAIN = re.compile(r"[\w.:-]+", re.ASCII)

_log = logging.getLogger("facecli.audit")


def log_audit(bus: EventBus) -> None:
    """Write an audit record for every changing call that ends from now on."""
    bus.subscribe(_log_change)


def _log_change(event: Event) -> None:
    if isinstance(event, CallEnded) and event.changes:
        _log.info("call", extra=_fields(event))


def _fields(event: CallEnded) -> dict[str, object]:
    """The fields of a record. Several ids of one kind share a field, separated by spaces."""
    fields: dict[str, object] = {"request": event.request_id, "user": event.user}
    if event.acting_for:
        fields["for"] = event.acting_for
    fields |= {"method": event.method.rpartition("/")[2], "outcome": event.outcome}
    named = event.subjects[:MAX_SUBJECTS]
    for kind in dict.fromkeys(kind for kind, _ in named):
        fields[kind] = _joined([subject_id for each, subject_id in named if each == kind])
    if unnamed := len(event.subjects) - len(named):
        fields["more"] = unnamed
    return fields | {"peer": event.peer}


def _joined(ids: Sequence[str]) -> str:
    """Ids as one value; one that is not plain is quoted, so that it cannot look like two."""
    if len(ids) == 1:
        return ids[0]
    return " ".join(each if _PLAIN.fullmatch(each) else json.dumps(each) for each in ids)
