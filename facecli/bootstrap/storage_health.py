"""Reports to the health service whether the data directory, and the bucket, can be used."""

import logging
from collections.abc import Callable, Sequence

from facecli.core.errors import DiskFull, FacecliError

_log = logging.getLogger(__name__)


class StorageHealth:
    """Runs the probes, each of which raises an error.

    `report` gets whether all services serve, and whether uploads do.

    A full disk stops only uploads: downloads and deletions go on, so that users can free space.
    """

    def __init__(self, probes: Sequence[Callable[[], None]], report: Callable[[bool, bool], None]) -> None:
        self._probes = probes
        self._report = report
        self._problem = ""

    def check(self) -> None:
        """Probe once; log and report a change. To be called periodically."""
        problem, full = "", False
        try:
            for probe in self._probes:
                probe()
        except FacecliError as error:
            problem, full = error.message, isinstance(error, DiskFull)
        if problem and not self._problem:
            _log.error("storage is not usable", extra={"error": problem})
        elif self._problem and not problem:
            _log.warning("storage is usable again")
        self._problem = problem
        self._report(not problem or full, not problem)
