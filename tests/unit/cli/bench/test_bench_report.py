"""The report of `bench upload`."""

import json
from contextlib import nullcontext
from dataclasses import asdict, replace
from typing import Any

import pytest

from facecli.api.server_info import ServerInfo
from facecli.bench.plain_transfer import PlainResult
from facecli.bench.uploads.figures import one_run
from facecli.bench.uploads.measure import UploadMeasurement
from facecli.bench.uploads.messages import ClientResult
from facecli.bench.uploads.plan import UploadPlan
from facecli.bench.usage import Usage
from facecli.chaos.faults import Span
from facecli.cli.bench.baseline import Baseline
from facecli.cli.bench.limits import check, read_limits
from facecli.cli.bench.report import Report, upload_report
from facecli.core.errors import FacecliError
from facecli.uploads.stage_times import StageTimes

PLAN = UploadPlan(size=100_000_000, chunk_size=10 * 2**20, runs=2)
SERVER = ServerInfo(
    version="1.2.3",
    chunk_size=1,
    max_chunk_size=1,
    frame_size=1,
    max_file_size=1,
    engines=(),
    default_engine="",
    image_formats=(),
    video_formats=(),
    features=("resume",),
    ffmpeg="",
    free_bytes=1,
    upload_expiry=1,
    max_pixels=1,
    max_video_seconds=1,
    max_user_bytes=1,
    max_user_unfinished=1,
    max_user_waiting=1,
)


def used(seconds: float) -> Usage:
    return Usage(cpu_seconds=seconds, peak_memory=50_000_000)


STAGES = StageTimes(
    elapsed=0.08, receive=0.01, write=0.02, write_cpu=0.01, flush=0.06, commit=0.01, frames_queued=0.12
)  # in 0.1 s
PLAIN = PlainResult(seconds=0.08, disk_rate=1.3e9)


def measured(*, own: bool = True, stages: StageTimes | None = STAGES) -> UploadMeasurement:
    """Two runs, the second slower and cut once."""
    runs = [
        one_run(
            [
                ClientResult(
                    seconds=seconds,
                    delays=[0.0125],
                    resent=resent,
                    used=used(0.2),
                    stages=sum([stages] * round(seconds * 10 - 1), stages) if stages else None,
                )
            ],
            total_bytes=100_000_000,
            server=(used(1), used(1.5)) if own else None,
            cuts=len(resent),
            plain=PLAIN if own else None,
        )
        for seconds, resent in ((0.1, []), (0.4, [2_500_000]))
    ]
    return UploadMeasurement(server=SERVER, runs=runs, delays=[0.0125, 0.0125])


def report(now: UploadPlan = PLAN, /, *, server: str | None = None, **was: Any) -> Report:
    before = Baseline(**{"plan": {}, "server": None, "figures": {"mb_per_s": 500.0}, **was}) if was else None
    return upload_report(now, measured(own=not server), server=server, baseline=before)


def test_the_text_is_a_table_with_one_row_per_figure() -> None:
    assert report().text.splitlines() == [
        "1 client, 1 file of 100 MB in chunks of 10 MiB, to a local server, 2 runs after 1 warm-up",
        "                                         all runs    min    max",
        "MB/s                         median         625.0  250.0   1000",
        "seconds                      median         0.250  0.100  0.400",
        "seconds / plain TCP          of medians      3.12   1.25   5.00",
        "plain TCP, seconds           median         0.080  0.080  0.080",
        "the disk alone, MB/s         median          1300   1300   1300",
        "acknowledgement, p50 ms      all chunks     12.50  12.50  12.50",
        "acknowledgement, p95 ms      all chunks     12.50  12.50  12.50",
        "CPU seconds, clients         median         0.200  0.200  0.200",
        "CPU seconds, server          median         0.500  0.500  0.500",
        "peak memory MB, client       max            50.00  50.00  50.00",
        "peak memory MB, server       max            50.00  50.00  50.00",
        "cuts                         sum                1      0      1",
        "retries                      sum                1      0      1",
        "MB sent again                sum             2.50      0   2.50",
        "MB sent again after one cut  max             2.50      0   2.50",
        "",
        "stages in the server                 seconds  share",
        "stream                                 0.200    80%",
        "receive: waiting for the client        0.025    10%",
        "receive: waiting for write                 0     0%",
        "write                                  0.050    20%",
        "write: on a processor                  0.025    10%",
        "write: waiting for flush and commit        0     0%",
        "flush                                  0.150    60%",
        "commit                                 0.025    10%",
        "frames waiting for write                        1.2",
        "chunks waiting for flush and commit             0.0",
        "",
        "limited by the disk: flushes take 75% of the time, 625 MB/s of 1300",
    ]


def test_unknown_figures_of_an_external_server_are_dashes() -> None:
    rows = [line.split()[-4:] for line in report(server="host:1").text.splitlines() if ", server" in line]
    assert rows == [["median", "-", "-", "-"], ["max", "-", "-", "-"]]


@pytest.mark.parametrize(
    ("plan", "part"),
    [
        (replace(PLAN, concurrency=5), "5 clients, 1 file of 100 MB each in chunks of 10 MiB,"),
        (replace(PLAN, size=1501, files=2, chunk_size=1024), "2 files of 1501 bytes in chunks of 1 KiB,"),
        (replace(PLAN, cuts=10), "; 10 cuts of each connection"),
        (replace(PLAN, cut_every=Span(low=50 * 10**6, high=2**30)), "; a cut every 50 MB to 1024 MiB"),
        (replace(PLAN, delay=0.02, rate=12_500_000), "; 20 ms delay each way; 12.5 MB per second"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_title_describes_the_plan(plan: UploadPlan, part: str) -> None:
    title = " ".join(report(plan).text.partition("  ")[0].split())
    assert part in title


def test_a_baseline_adds_ratios_of_its_figures() -> None:
    compared = report(figures={"mb_per_s": 500.0})
    _, head, first, second, *_ = compared.text.splitlines()
    assert head.endswith("/ baseline")
    assert (first.split()[-1], second.split()[-1]) == ("1.25", "-")
    assert compared.object["ratios"]["mb_per_s"] == 1.25


def test_a_baseline_of_another_plan_or_server_is_noted() -> None:
    same = json.loads(json.dumps(report().object["plan"]))
    assert report().notes == report(plan=same).notes == []
    assert report(plan={**same, "size": 5}, server="host:1").notes == [
        "the baseline differs in size: 5, not 100000000",
        "the baseline differs in server: a local server, not host:1",
    ]


def test_the_json_is_one_object() -> None:
    scripted = json.loads(json.dumps(report(replace(PLAN, cut_every=Span(low=2 * 10**7, high=10**8))).object))
    assert set(scripted) == {
        *("bench", "facecli", "python", "system", "cores", "server"),
        *("plan", "figures", "ratios", "stages", "bottleneck", "runs"),
    }
    assert scripted["server"] == {"address": None, "version": "1.2.3", "features": ["resume"]}
    assert scripted["plan"]["cut_every"] == {"low": 2 * 10**7, "high": 10**8}
    assert [run["mb_per_s"] for run in scripted["runs"]] == [1000.0, 250.0]
    assert [run["resent_each_bytes"] for run in scripted["runs"]] == [[], [2_500_000]]
    assert [run["stages"]["flush"] for run in scripted["runs"]] == [0.06, 0.24]
    assert scripted["stages"]["flush"] == {"seconds": 0.15, "share": 0.6}
    assert scripted["bottleneck"] == {
        "part": "disk",
        "sentence": "limited by the disk: flushes take 75% of the time, 625 MB/s of 1300",
    }


def test_a_server_without_stages_is_measured_all_the_same() -> None:
    old = upload_report(PLAN, measured(stages=None), server=None, baseline=None)
    assert old.text.splitlines()[-1] == "the server does not report its stages; update it to see them"
    assert (old.object["stages"], old.object["bottleneck"]) == (None, None)
    assert old.object["figures"]["mb_per_s"] > 0


def slowed(machine: float, ours: float) -> Report:
    """A report on a machine that is so many times slower, with an upload so many times slower than that."""
    runs = [
        one_run(
            [ClientResult(seconds=1.3 * our_noise * machine * ours, delays=[0.01], resent=[], used=used(1))],
            total_bytes=10**8,
            server=None,
            cuts=0,
            plain=PlainResult(seconds=noise * machine, disk_rate=1e9),
        )
        for noise, our_noise in ((1.0, 1.5), (1.4, 1.0), (0.9, 0.8))
    ]
    now = UploadMeasurement(server=SERVER, runs=runs, delays=[0.01])
    before = Baseline(plan=asdict(PLAN), server=None, figures={"ratio": 1.3, "seconds": 1.3})
    return upload_report(PLAN, now, server=None, baseline=before)


@pytest.mark.parametrize(
    ("machine", "ours", "regression"),
    [(1.0, 1.0, False), (1.0, 1.05, False), (2.0, 1.05, False), (1.0, 1.16, True), (0.5, 1.16, True)],
)
def test_a_regression_of_15_percent_is_found_on_a_slow_and_on_a_fast_machine(
    machine: float, ours: float, regression: bool
) -> None:
    report = slowed(machine, ours)
    limits = read_limits(["ratio>1.15*baseline"], names=["ratio"], baseline=report.baseline)
    with pytest.raises(FacecliError, match=r"^ratio is 1\.5") if regression else nullcontext():
        check(limits, report.figures, report.baseline)
    other_plan = replace(report, plan={**report.plan, "size": 5})
    assert not any("ratio" in note for note in other_plan.notes)
    noted = [f"the ratio is {1.3 * ours:.2f}, not 1.30" in note for note in report.notes]
    assert noted == ([True] if regression else [])
