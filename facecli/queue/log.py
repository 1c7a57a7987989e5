"""The log of DBOS in the format of all other records; a known failure of its database needs no stack."""

import logging

from dbos._error import DBOSNonExistentWorkflowError

from facecli.core.errors import FacecliError
from facecli.queue.client import Errors

_DBOS = logging.getLogger("dbos")
_log = logging.getLogger(__name__)


class QueueLog(logging.Handler):
    """Passes records of DBOS on. `errors` makes a context manager that translates database errors."""

    def __init__(self, errors: Errors) -> None:
        super().__init__()
        self._errors = errors

    def install(self) -> None:
        """Handle the records of DBOS, which adds no handler of its own where there is one."""
        _DBOS.handlers[:] = [self]
        _DBOS.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        fields = {"text": record.getMessage()}
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, DBOSNonExistentWorkflowError):
            _log.info("work has ended whose task was deleted meanwhile", extra={"error": str(error)})
            return
        known = self._translated(error) if error else None
        if known:
            fields["error"] = known.message
        _log.log(record.levelno, "the task queue failed", extra=fields, exc_info=None if known else error)

    def _translated(self, error: BaseException) -> FacecliError | None:
        try:
            with self._errors():
                raise error
        except FacecliError as known:
            return known
        except type(error):
            return None
