"""The access log: one record per call with its method, outcome, duration, peer and request id."""

import logging

from facecli.core.events import CallEnded, Event, EventBus

_log = logging.getLogger("facecli.access")


def log_access(bus: EventBus) -> None:
    """Log every call that ends from now on."""
    bus.subscribe(_log_call)


def _log_call(event: Event) -> None:
    if isinstance(event, CallEnded):
        fields = {
            "method": event.method,
            "outcome": event.outcome,
            "seconds": round(event.seconds, 3),
            "peer": event.peer,
            "request": event.request_id,
        }
        _log.info("call ended", extra=fields)
