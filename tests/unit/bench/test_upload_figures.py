"""The figures of upload runs, and a run from the results of its clients."""

from dataclasses import asdict

import pytest

from facecli.bench.figures import percentile
from facecli.bench.uploads.figures import figure_names, figures, one_run
from facecli.bench.uploads.messages import ClientResult
from facecli.bench.usage import Usage


def used(seconds: float, mb: float) -> Usage:
    return Usage(cpu_seconds=seconds, peak_memory=int(mb * 1e6))


FAST = ClientResult(seconds=1.0, delays=[0.010, 0.030], resent=[], used=used(0.5, 40))
SLOW = ClientResult(seconds=2.0, delays=[0.020], resent=[100, 0, 700], used=used(0.25, 50))
RUN = one_run([FAST, SLOW], total_bytes=10**8, server=(used(1, 90), used(2.5, 120)), cuts=3)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.01, 1), (0.2, 1), (0.21, 2), (0.5, 3), (0.95, 5), (1.0, 5)]
)
def test_a_percentile_is_the_nearest_rank(share: float, value: int) -> None:
    assert percentile([5, 3, 1, 2, 4], share) == value


def test_a_run_takes_the_slowest_client_and_the_sum_of_all_costs() -> None:
    assert asdict(RUN) == {
        "seconds": 2.0,
        "mb_per_s": 50.0,
        "p50_ms": 20.0,
        "p95_ms": 30.0,
        "client_cpu_seconds": 0.75,
        "server_cpu_seconds": 1.5,
        "client_peak_mb": 50.0,
        "server_peak_mb": 120.0,
        "cuts": 3,
        "retries": 3,
        "resent_bytes": 800,
        "resent_most_bytes": 700,
        "resent_each_bytes": (100, 0, 700),
    }


def test_each_figure_has_its_aggregate_and_min_and_max() -> None:
    runs = [one_run([FAST], total_bytes=10**8, server=None, cuts=0), RUN, RUN]
    values = figures(runs, [0.001] * 99 + [0.5])
    assert (values["seconds"], values["seconds_min"], values["seconds_max"]) == (2.0, 1.0, 2.0)
    assert (values["p50_ms"], values["p95_ms"], values["p95_ms_min"]) == (1.0, 1.0, 30.0)
    assert (values["cuts"], values["resent_bytes"], values["resent_bytes_max"]) == (6, 1600, 800)
    assert (values["resent_most_bytes"], values["client_peak_mb"]) == (700, 50.0)
    assert list(values) == figure_names(own_server=True)


def test_the_usage_of_an_external_server_is_unknown_and_has_no_limits() -> None:
    values = figures([one_run([FAST], total_bytes=10**8, server=None, cuts=0)], [0.01])
    unknown = {name for name, value in values.items() if value is None}
    assert {name for name in unknown if "server_" not in name} == set()
    assert set(figure_names(own_server=False)) == set(values) - unknown
