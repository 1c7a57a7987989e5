"""`facecli bench upload`: measures, prints, compares, and leaves nothing on any server."""

import json
from pathlib import Path
from typing import Any

import pytest

from facecli.bench.uploads.bottleneck import Part
from facecli.bench.uploads.figures import figure_names
from facecli.bench.uploads.stages import LABELS
from facecli.client.connection import Connection
from facecli.client.context import ClientContext
from facecli.client.uploads import UploadClient
from tests.support.cli import Ran, Server, facecli, process

pytestmark = pytest.mark.slow


SMALL = ("--size", "3MB", "--chunk-size", "256KiB", "--warm-up", 0, "--runs", 1, "--progress", "none")


def bench(*options: object) -> Ran:
    return process("bench", "upload", *SMALL, *options)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The --json output of a bench, in a file."""
    folder = tmp_path_factory.mktemp("bench")
    ran = bench("--runs", 2, "--warm-up", 1, "--json", "--progress", "json", "--data-dir", folder)
    assert ran.code == 0, ran.err
    assert list(folder.iterdir()) == []
    (folder / "progress").write_text(ran.err)
    (folder / "before.json").write_text(ran.out)
    return folder / "before.json"


def test_json_is_one_object_with_plan_figures_and_every_run(before: Path) -> None:
    report = json.loads(before.read_text())
    assert (report["bench"], report["server"]["address"], report["ratios"]) == ("upload", None, None)
    plan = {name: report["plan"][name] for name in ("size", "chunk_size", "runs", "warm_up", "concurrency")}
    assert plan == {"size": 3_000_000, "chunk_size": 262_144, "runs": 2, "warm_up": 1, "concurrency": 1}
    assert {name: set(stage) for name, stage in report["stages"].items()} == {
        name: {"seconds", "share"} for name in LABELS
    }
    assert 0 < report["stages"]["flush"]["share"] <= report["stages"]["elapsed"]["share"] <= 1
    assert report["bottleneck"]["part"] in set(Part)
    assert list(report["figures"]) == figure_names(own_server=True, plain=True)
    counts = ("cuts", "retries", "resent_bytes", "resent_most_bytes")
    assert {report["figures"][name] for name in counts} == {0}
    assert len(report["runs"]) == 2
    for run in report["runs"]:
        assert run.pop("resent_each_bytes") == []
        stages = run.pop("stages")
        assert min(stages[name] for name in ("elapsed", "receive", "write", "flush", "commit")) > 0
        assert run["ratio"] == pytest.approx(run["seconds"] / run["plain_seconds"], rel=0.01)
        assert 0 < run["machine_busy"] <= 1
        assert all(run[name] > 0 for name in run if name not in counts)


def test_progress_of_every_run_is_on_stderr(before: Path) -> None:
    events = [json.loads(line) for line in before.with_name("progress").read_text().splitlines()]
    names = ["warm-up 1 of 1", "run 1 of 2", "run 2 of 2"]
    assert [each["name"] for each in events if each["event"] == "verified"] == names
    for name in names:
        stored = [each["stored"] for each in events if each["event"] == "stored" and each["name"] == name]
        assert stored == sorted(stored)
        assert (stored[0], stored[-1]) == (0, 3_000_000)


def test_an_exceeded_limit_is_exit_code_1_after_the_table(before: Path) -> None:
    ran = bench("--baseline", before, "--fail-if", "mb_per_s>0.00001*baseline", "--fail-if", "seconds>999999")
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("facecli: mb_per_s is ")
    assert ran.err.endswith("(mb_per_s>0.00001*baseline)\n")
    assert "the baseline differs in runs: 2, not 1" in ran.err
    head, *rows = ran.lines[1:]
    assert head.split()[-2:] == ["/", "baseline"]
    assert rows[0].startswith("MB/s  ")


def test_cuts_are_made_and_resent_bytes_are_counted_after_each() -> None:
    report = bench("--cuts", 2, "--json").object
    (run,) = report["runs"]
    assert (run["cuts"], run["retries"], len(run["resent_each_bytes"])) == (2, 2, 2)
    assert run["resent_bytes"] == sum(run["resent_each_bytes"]) == report["figures"]["resent_bytes"]
    assert run["resent_most_bytes"] == max(run["resent_each_bytes"])
    assert all(0 <= again < 3_000_000 for again in run["resent_each_bytes"])
    assert run["ratio"] is run["plain_seconds"] is run["disk_mb_per_s"] is None
    assert 0 < run["stages"]["elapsed"] < run["seconds"]


def test_an_external_server_is_measured_and_keeps_no_upload(server: Server, user: str) -> None:
    ran = bench("--server", server.address, "--concurrency", 2, "--files", 2, "--json")
    assert ran.code == 0, ran.err
    report = ran.object
    assert report["server"]["address"] == server.address
    assert report["figures"]["server_cpu_seconds"] is None
    assert report["figures"]["server_peak_mb"] is None
    assert report["figures"]["ratio"] is None
    assert report["stages"]["commit"]["seconds"] > 0
    assert report["figures"]["mb_per_s"] > 0
    assert uploads(server, user) == []


def test_quiet_prints_the_mb_per_second_only(server: Server, user: str) -> None:
    ran = bench("--server", server.address, "-q")
    assert (ran.code, ran.err) == (0, "")
    assert float(ran.out) > 0


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--size", "0"], 2, "must be greater than 0, such as --size 500MB"),
        (["--size", "big"], 2, "'--size': 'big' is not a size"),
        (["--runs", "0"], 2, "'--runs'"),
        (["--concurrency", "65"], 2, "'--concurrency'"),
        (["--cuts", "1", "--cut-every", "5MB"], 2, "--cuts and --cut-every exclude each other; use one"),
        (["--cut-every", "1kB"], 2, "use a smaller --chunk-size"),
        (["--rate", "0"], 2, "'--rate': the rate must be greater than 0"),
        (["--fail-if", "speed<1"], 2, "there is no figure speed"),
        (["--fail-if", "mb_per_s<baseline"], 2, "needs a --baseline FILE"),
        (
            ["--fail-if", "server_peak_mb>9", "--server", "127.0.0.1:1"],
            2,
            "there is no figure server_peak_mb",
        ),
        (["--fail-if", "ratio>2", "--server", "127.0.0.1:1"], 2, "there is no figure ratio"),
        (["--fail-if", "ratio>2", "--cuts", "1"], 2, "there is no figure ratio"),
        (["--fail-if", "ratio>2", "--no-plain"], 2, "there is no figure ratio"),
        (["--baseline", "/nowhere.json"], 2, "cannot read /nowhere.json"),
        (["--data-dir", "/nowhere"], 2, "cannot make a directory in /nowhere: No such file"),
        (["--cuts", "1", "--server", "127.0.0.1:1,127.0.0.1:2"], 2, "need a single --server"),
        (["--size", "9000000GB"], 9, "choose another --data-dir, or a smaller --size"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_impossible_measurement_is_refused_at_once(options: list[Any], code: int, message: str) -> None:
    ran = facecli("bench", "upload", *options, "--json")
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.error["message"]


@pytest.mark.parametrize(("server", "code"), [("nowhere", 2), ("127.0.0.1:1", 6)])
def test_a_bad_server_has_the_usual_error(server: str, code: int) -> None:
    ran = bench("--server", server, "--json")
    assert ran.code == ran.error["exit_code"] == code
    assert server in ran.error["message"]


def test_no_progress_is_exit_code_6_and_leaves_no_upload(server: Server, user: str) -> None:
    ran = bench("--server", server.address, "--cuts", 500, "--retry-for", "1ms", "--json")
    assert ran.code == ran.error["exit_code"] == 6
    assert "no progress for too long" in ran.error["message"]
    assert ran.error["hint"] == ""
    assert uploads(server, user) == []


def uploads(server: Server, user: str) -> list[str]:
    """The names of the user's uploads, complete or not."""
    with Connection(server.address, call_timeout=30) as connection:
        return [
            upload.name for upload in UploadClient(ClientContext(connection=connection, user=user)).listed()
        ]
