"""Domain events as log records: one record per event, with its values as fields."""

import logging
from dataclasses import fields

from facecli.core import events
from facecli.core.events import Event, EventBus

_log = logging.getLogger("facecli.events")

# The level and the sentence of each logged event. ChunkStored is for metrics: it would flood a log.
_RECORDS: dict[type[Event], tuple[int, str]] = {
    events.UploadCreated: (logging.DEBUG, "upload created"),
    events.UploadCompleted: (logging.INFO, "upload completed"),
    events.UploadDeleted: (logging.INFO, "upload deleted"),
    events.TaskCreated: (logging.INFO, "task created"),
    events.TaskStarted: (logging.INFO, "task started"),
    events.TaskRequeued: (logging.WARNING, "task requeued"),
    events.TaskEnded: (logging.INFO, "task ended"),
    events.TaskRetried: (logging.INFO, "task retried"),
    events.TaskDeleted: (logging.INFO, "task deleted"),
    events.WorkerLost: (logging.WARNING, "lease of worker expired"),
}
_FIELDS = {"message": "error"}  # the names of values in a record, where a LogRecord reserves the event's


def log_events(bus: EventBus) -> None:
    """Log the events of this bus from now on."""
    bus.subscribe(_log_event)


def _log_event(event: Event) -> None:
    if record := _RECORDS.get(type(event)):
        level, sentence = record
        if isinstance(event, events.TaskEnded) and event.status == "failed":
            level = logging.WARNING
        values = {
            _FIELDS.get(field.name, field.name.removesuffix("_id")): getattr(event, field.name)
            for field in fields(event)
        }
        _log.log(level, sentence, extra=values)
