"""The page of metrics, read as Prometheus reads it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.support.eventually import DEADLINE, eventually

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Page:
    """Values by the name and the labels of their series."""

    text: str
    series: Mapping[tuple[str, Labels], float]

    def value(self, name: str, **labels: str) -> float:
        """The sum of all series of this name that have these labels; 0 without any."""
        return sum(
            value
            for (found, having), value in self.series.items()
            if found == name and labels.items() <= having
        )

    def families(self) -> set[str]:
        """The names of all series."""
        return {name for name, _ in self.series}


def parsed(text: str) -> Page:
    return Page(text, dict(_series(text)))


def fetched(url: str) -> Page:
    with urlopen(url, timeout=DEADLINE) as response:
        return parsed(response.read().decode())


def fetched_when(url: str, condition: Callable[[Page], object]) -> Page:
    """The first page for which this holds."""
    found: list[Page] = []

    def holds() -> object:
        found[:] = [fetched(url)]
        return condition(found[0])

    eventually(holds)
    return found[0]


def _series(text: str) -> Iterator[tuple[tuple[str, Labels], float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield (sample.name, frozenset(sample.labels.items())), sample.value
