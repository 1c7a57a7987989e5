"""Gauges: values that are read when Prometheus asks for them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from facecli.telemetry.metrics.catalog import Metric


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of a gauge now, for these values of its labels."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


Source = Callable[[], Iterable[Sample]]


class Gauges(Collector):
    """Collects from sources, which must answer at once and raise nothing."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def collect(self) -> Iterator[GaugeMetricFamily]:
        families = dict[str, GaugeMetricFamily]()
        for source in self._sources:
            for sample in source():
                metric = sample.metric
                family = families.get(metric.name)
                if family is None:
                    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
                    families[metric.name] = family
                family.add_metric(sample.labels, sample.value)
        yield from families.values()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: otherwise the registry would collect before everything is there."""
        return ()
