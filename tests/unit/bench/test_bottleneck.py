"""The sentence that names what limits uploads."""

from typing import Any

import pytest

from facecli.bench.uploads.bottleneck import Load, Part, bottleneck, load
from facecli.bench.uploads.figures import UploadRun, one_run
from facecli.bench.uploads.messages import ClientResult
from facecli.bench.usage import Usage
from facecli.uploads.stage_times import StageTimes

IDLE = Load(
    stream=0.95,
    receive=0.5,
    write=0.3,
    write_cpu=0.2,
    flush=0.2,
    commit=0.1,
    client_cpu=0.3,
    server_cpu=0.4,
    clients=1,
    cores=4,
    machine_busy=0.5,
    mb_per_s=200.0,
    disk_mb_per_s=470.0,
    network=False,
    breaks=False,
)
REMOTE = {"server_cpu": None, "disk_mb_per_s": None, "network": True}
AT_DISK_RATE = {"mb_per_s": 450.0}


def loaded(**changed: Any) -> Load:
    return Load(**{**{name: getattr(IDLE, name) for name in Load.__slots__}, **changed})


@pytest.mark.parametrize(
    ("changed", "part", "sentence"),
    [
        ({"flush": 0.85, **AT_DISK_RATE}, Part.DISK, "limited by the disk: 450 MB/s of 470"),
        ({"flush": 0.85, **REMOTE}, Part.DISK, "limited by the server's disk: 200 MB/s"),
        (
            {"flush": 0.85},
            Part.DISK,
            "limited by the disk: flushes take 85% of the time, 200 MB/s of 470",
        ),
        ({"write": 0.9}, Part.DISK, "limited by the disk: writing takes 90% of the time, 200 MB/s of 470"),
        ({"write": 0.9, "disk_mb_per_s": None}, Part.DISK, "limited by the disk: 200 MB/s"),
        (
            {"write": 0.9, "write_cpu": 0.5, "server_cpu": 0.9, **AT_DISK_RATE},
            Part.DISK,
            "limited by the disk: 450 MB/s of 470",
        ),
        (
            {"write": 0.9, "server_cpu": 1.2},
            Part.SERVER_PROCESSOR,
            "limited by the server's processor: 1.2 cores busy on average",
        ),
        (AT_DISK_RATE, Part.DISK, "limited by the disk: 450 MB/s of 470"),
        (
            {"commit": 0.8, "flush": 0.05},
            Part.DATABASE,
            "limited by the database: commits take 80% of the time",
        ),
        ({"commit": 0.8, "flush": 0.05, **AT_DISK_RATE}, Part.DISK, "limited by the disk: 450 MB/s of 470"),
        (
            {"commit": 0.4, "flush": 0.5},
            Part.DISK_AND_DATABASE,
            "limited by the disk and the database: flushes take 50% and commits 40% of the time",
        ),
        (
            {"write": 0.9, "write_cpu": 0.7, "server_cpu": 1.2},
            Part.SERVER_PROCESSOR,
            "limited by the server's processor: 1.2 cores busy on average",
        ),
        (
            {"write": 0.9, "write_cpu": 0.7, **REMOTE},
            Part.SERVER_PROCESSOR,
            "limited by the server's processor: writing takes 70% of its time",
        ),
        (
            {"receive": 0.9, "server_cpu": 0.9},
            Part.SERVER_PROCESSOR,
            "limited by the server's processor: 0.9 cores busy on average",
        ),
        (
            {"receive": 0.9, "client_cpu": 0.97, "server_cpu": 0.9},
            Part.CLIENT_PROCESSOR,
            "limited by the client's processor: 1.0 cores busy on average",
        ),
        (
            {"receive": 0.93},
            Part.CLIENT,
            "limited by the client: the server waits for frames 93% of the time",
        ),
        (
            {"receive": 0.93, **REMOTE},
            Part.NETWORK_OR_CLIENT,
            "limited by the network or the client: the server waits for frames 93% of the time",
        ),
        (
            {"receive": 0.9, "client_cpu": 0.9, "server_cpu": 1.0, "cores": 2},
            Part.PROCESSORS,
            "limited by this machine's processors: 1.9 of 2 busy with client and server",
        ),
        (
            {"write": 0.9, "client_cpu": 0.9, "server_cpu": 1.0, "cores": 2},
            Part.PROCESSORS,
            "limited by this machine's processors: 1.9 of 2 busy with client and server",
        ),
        (
            {"client_cpu": 0.5, "server_cpu": 1.4, "clients": 4},
            Part.PROCESSORS,
            "limited by this machine's processors: 3.4 of 4 busy with client and server",
        ),
        (
            {"receive": 0.9, "machine_busy": 0.99},
            Part.PROCESSORS,
            "limited by this machine's processors: 0.7 of 4 busy with client and server, 3.3 with other "
            "programs",
        ),
        ({}, Part.NONE, "no single limit: the busiest stage, receive, takes 50% of the time"),
        (
            {"flush": 0.4, "commit": 0.3},
            Part.NONE,
            "no single limit: the busiest stage, flush and commit, takes 70% of the time",
        ),
        (
            {"stream": 0.3, "flush": 0.9},
            Part.NONE,
            "no single limit: streams run only 30% of the time; use a larger --size",
        ),
        (
            {"stream": 0.3, "flush": 0.9, "breaks": True},
            Part.NONE,
            "no single limit: streams run only 30% of the time; the rest are pauses after breaks",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_part_that_is_busy_nearly_all_of_the_time_is_the_limit(
    changed: dict[str, Any], part: Part, sentence: str
) -> None:
    found = bottleneck(loaded(**changed))
    assert (found.part, found.sentence) == (part, sentence)


def run(stages: StageTimes | None, *, server: tuple[float, float] | None = (1.0, 3.0)) -> UploadRun:
    """Two clients that send 100 MB each in 2 s and use a second of CPU each."""
    used = [Usage(cpu_seconds=seconds, peak_memory=1) for seconds in server or ()]
    client = ClientResult(
        seconds=2.0, delays=[0.1], resent=[], used=Usage(cpu_seconds=1.0, peak_memory=1), stages=stages
    )
    before_and_after = (used[0], used[1]) if used else None
    return one_run([client, client], total_bytes=200_000_000, server=before_and_after, cuts=0)


def load_of(*runs: UploadRun) -> Load | None:
    return load(runs, clients=2, cores=2, network=False)


def test_a_load_has_the_medians_of_the_runs_as_shares_of_the_streams_time() -> None:
    runs = [run(StageTimes(elapsed=elapsed, flush=1.0, write=0.5)) for elapsed in (1.0, 1.6, 2.0)]
    found = load_of(*runs)
    assert found
    assert (found.stream, found.flush, found.write) == (0.8, 0.625, 0.3125)
    assert (found.client_cpu, found.server_cpu, found.mb_per_s) == (0.5, 1.0, 100.0)
    external = load_of(run(StageTimes(elapsed=1.0), server=None))
    assert external
    assert (external.server_cpu, external.disk_mb_per_s) == (None, None)


def test_there_is_no_load_unless_the_server_measured_every_run() -> None:
    assert load_of(run(None)) is None
    assert load_of(run(StageTimes(elapsed=1.0)), run(None)) is None
