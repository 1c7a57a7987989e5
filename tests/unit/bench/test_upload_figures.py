"""The figures of upload runs, and a run from the results of its clients."""

from dataclasses import asdict

import pytest

from facecli.bench.figures import percentile
from facecli.bench.plain_transfer import PlainResult
from facecli.bench.uploads.figures import figure_names, figures, one_run
from facecli.bench.uploads.messages import ClientResult
from facecli.bench.uploads.stages import LABELS, StageFigure, mean_times, stage_figures
from facecli.bench.usage import ProcessorTimes, Usage, processor_times
from facecli.uploads.stage_times import StageTimes


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
        "plain_seconds": None,
        "ratio": None,
        "disk_mb_per_s": None,
        "machine_busy": None,
        "stages": None,
    }


def test_each_figure_has_its_aggregate_and_min_and_max() -> None:
    runs = [one_run([FAST], total_bytes=10**8, server=None, cuts=0), RUN, RUN]
    values = figures(runs, [0.001] * 99 + [0.5])
    assert (values["seconds"], values["seconds_min"], values["seconds_max"]) == (2.0, 1.0, 2.0)
    assert (values["p50_ms"], values["p95_ms"], values["p95_ms_min"]) == (1.0, 1.0, 30.0)
    assert (values["cuts"], values["resent_bytes"], values["resent_bytes_max"]) == (6, 1600, 800)
    assert (values["resent_most_bytes"], values["client_peak_mb"]) == (700, 50.0)
    assert list(values) == figure_names(own_server=True, plain=True)


def test_the_usage_of_an_external_server_is_unknown_and_has_no_limits() -> None:
    values = figures([one_run([FAST], total_bytes=10**8, server=None, cuts=0)], [0.01])
    unknown = {name for name, value in values.items() if value is None}
    assert {name.removesuffix("_min").removesuffix("_max") for name in unknown} == {
        *("server_cpu_seconds", "server_peak_mb", "ratio", "plain_seconds", "disk_mb_per_s")
    }
    assert set(figure_names(own_server=False, plain=False)) == set(values) - unknown
    assert set(figure_names(own_server=True, plain=False)) == {
        name for name in values if not name.startswith(("ratio", "plain_seconds", "disk_mb_per_s"))
    }


def test_the_ratio_is_that_of_each_run_to_the_plain_transfer_before_it() -> None:
    runs = [
        one_run([client], total_bytes=10**8, server=None, cuts=0, plain=plain)
        for client, plain in (
            (FAST, PlainResult(seconds=0.8, disk_rate=500e6)),
            (SLOW, PlainResult(seconds=1.0, disk_rate=400e6)),
            (FAST, PlainResult(seconds=0.5, disk_rate=450e6)),
        )
    ]
    assert [run.ratio for run in runs] == [1.25, 2.0, 2.0]
    values = figures(runs, [0.01])
    assert (values["seconds"], values["plain_seconds"], values["ratio"]) == (1.0, 0.8, 1.25)
    assert (values["ratio_min"], values["ratio_max"], values["disk_mb_per_s"]) == (1.25, 2.0, 450.0)


def test_stages_are_those_of_the_mean_client_if_the_server_measured_all() -> None:
    one, other = StageTimes(elapsed=1.0, write=0.5), StageTimes(elapsed=2.0, write=0.7, flush=1.0)
    assert mean_times([one, other]) == StageTimes(elapsed=1.5, write=0.6, flush=0.5)
    assert mean_times([one, None]) is None
    assert mean_times([one, StageTimes()]) is None
    assert mean_times([]) is None


def test_a_stage_has_its_median_seconds_and_share_of_its_run() -> None:
    runs = [(StageTimes(elapsed=seconds, flush=0.5), 2 * seconds) for seconds in (1.0, 4.0, 2.0)]
    stages = stage_figures(runs)
    assert stages
    assert list(stages) == list(LABELS)
    assert stages["elapsed"] == StageFigure(seconds=2.0, share=0.5)
    assert stages["flush"] == StageFigure(seconds=0.5, share=0.125)
    assert stage_figures([*runs, (None, 1.0)]) is None
    assert stage_figures([]) is None


def test_processors_are_busy_for_the_share_of_the_time_in_which_they_are_not_idle() -> None:
    before, after = ProcessorTimes(total=100, idle=50), ProcessorTimes(total=300, idle=100)
    assert after.busy_since(before) == 0.75
    assert before.busy_since(before) is None
    now = processor_times()
    assert 0 < now.idle < now.total
