"""`--fail-if` and `--baseline`: their meaning, and errors before anything is measured."""

import json
from pathlib import Path
from typing import Any

import pytest

from facecli.cli.bench.baseline import Baseline, ratios, read_baseline
from facecli.cli.bench.limits import check, read_limits
from facecli.core.errors import FacecliError, InvalidInput

NAMES = ["mb_per_s", "p95_ms", "resent_bytes", "server_peak_mb"]
FIGURES = {"mb_per_s": 300.0, "p95_ms": 20.0, "resent_bytes": 2000, "server_peak_mb": None}
BEFORE = Baseline(
    plan={"size": 5},
    server=None,
    figures={"mb_per_s": 400.0, "p95_ms": 10.0, "resent_bytes": 0, "server_peak_mb": None},
)


def violations(*limits: str) -> str:
    """The message about all exceeded limits; empty if there are none."""
    try:
        check(read_limits(limits, names=NAMES, baseline=BEFORE), FIGURES, BEFORE)
    except FacecliError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    "limit",
    [
        *("mb_per_s<300", "mb_per_s > 300", "p95_ms>20.5", "resent_bytes>2kB", "resent_bytes>1MiB"),
        *("mb_per_s<0.75*baseline", "p95_ms > 2 * baseline", "mb_per_s>baseline"),
    ],
)
def test_a_limit_that_is_not_exceeded_passes(limit: str) -> None:
    assert violations(limit) == ""


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("mb_per_s<=300", "mb_per_s is 300, <= 300"),
        ("mb_per_s >= 300", "mb_per_s is 300, >= 300"),
        ("mb_per_s<300.5", "mb_per_s is 300, < 300.5"),
        ("resent_bytes>1KiB", "resent_bytes is 2000, > 1024"),
        ("mb_per_s < 0.8*baseline", "mb_per_s is 300, < 320 (mb_per_s < 0.8*baseline)"),
        ("p95_ms>baseline", "p95_ms is 20, > 10 (p95_ms>baseline)"),
        ("resent_bytes>1.2*baseline", "resent_bytes is 2000, > 0 (resent_bytes>1.2*baseline)"),
    ],
)
def test_an_exceeded_limit_is_reported_with_its_value(broken: str, message: str) -> None:
    assert violations(broken) == message


def test_every_exceeded_limit_is_reported() -> None:
    assert (
        violations("mb_per_s<1000", "p95_ms>1000", "p95_ms>1") == "mb_per_s is 300, < 1000; p95_ms is 20, > 1"
    )


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("", "is not NAME<LIMIT; write mb_per_s<300"),
        ("mb_per_s", "is not NAME<LIMIT"),
        ("mb_per_s=300", "is not NAME<LIMIT"),
        ("200<mb_per_s<300", "is not NAME<LIMIT"),
        ("speed<300", "there is no figure speed; choose from mb_per_s, p95_ms"),
        ("mb_per_s<300MB", "'300MB' is not a number"),
        ("mb_per_s<nan", "'nan' is not a number"),
        ("mb_per_s<1e3", "'1e3' is not a number"),
        ("p95_ms>x*baseline", "'x' is not a number"),
        ("resent_bytes>many", "'many' is not a size"),
        ("server_peak_mb>baseline", "server_peak_mb was not measured in the baseline"),
    ],
)
def test_an_invalid_limit_is_refused(limit: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_limits([limit], names=NAMES, baseline=BEFORE)
    assert message in refused.value.message


def test_a_limit_relative_to_the_baseline_needs_one() -> None:
    with pytest.raises(InvalidInput, match="needs a --baseline FILE"):
        read_limits(["mb_per_s<baseline"], names=NAMES, baseline=None)


def test_ratios_exist_for_figures_that_both_have() -> None:
    assert ratios(FIGURES, BEFORE.figures) == {
        "mb_per_s": 0.75,
        "p95_ms": 2.0,
        "resent_bytes": None,
        "server_peak_mb": None,
    }


GOOD: dict[str, Any] = {
    "bench": "upload",
    "plan": {"size": 5},
    "server": {"address": None},
    "figures": {"mb_per_s": 1.5},
}


def test_a_baseline_is_the_output_of_the_same_bench(tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    file.write_text(json.dumps(GOOD))
    assert read_baseline(file, bench="upload") == Baseline(
        plan={"size": 5}, server=None, figures={"mb_per_s": 1.5}
    )
    with pytest.raises(InvalidInput, match="is not the output of facecli bench task --json"):
        read_baseline(file, bench="task")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        json.dumps({**GOOD, "figures": {"mb_per_s": "fast"}}).encode(),
        json.dumps({**GOOD, "server": {"address": 5}}).encode(),
        json.dumps({name: value for name, value in GOOD.items() if name != "plan"}).encode(),
    ],
    ids=str,
)
def test_any_other_file_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"is not the output of facecli bench .*--json"):
        read_baseline(file, bench="upload")


def test_an_unreadable_baseline_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read .*none: No such file or directory"):
        read_baseline(tmp_path / "none", bench="upload")
