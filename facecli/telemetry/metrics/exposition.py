"""The page that Prometheus reads: every metric of this process in its text format."""

import platform
import threading
import time
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from facecli import __version__
from facecli.telemetry.metrics import catalog
from facecli.telemetry.metrics.gauges import Gauges, Sample, Source
from facecli.telemetry.metrics.recorder import Recorder

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
MAX_AGE = 0.5  # seconds for which a page is sent again, so that a flood of requests costs no processor


class Exposition:
    """The metrics of a process. Safe to use from many threads."""

    def __init__(
        self,
        *,
        engines: Sequence[str],
        sources: Sequence[Source] = (),
        worker: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = CollectorRegistry()
        self.recorder = Recorder(self._registry, engines=engines, worker=worker)
        self._registry.register(Gauges([_build_info, *sources]))
        ProcessCollector(registry=self._registry)
        self._clock = clock
        self._lock = threading.Lock()
        self._page = b""
        self._made_at = float("-inf")

    def page(self) -> bytes:
        """The page, at most MAX_AGE old."""
        with self._lock:
            if self._clock() - self._made_at >= MAX_AGE:
                self._page = generate_latest(self._registry)
                self._made_at = self._clock()
            return self._page


def _build_info() -> list[Sample]:
    return [Sample(catalog.BUILD_INFO, 1, (__version__, platform.python_version()))]
