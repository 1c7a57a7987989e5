"""`facecli bench task`: a server, a worker, watchers, plain ffmpeg and a kill, all real and small."""

from pathlib import Path

import pytest

from facecli.bench.figures import value_names
from facecli.bench.tasks.figures import FIGURES
from tests.support.cli import facecli, process

pytestmark = pytest.mark.slow


SMALL = ("--seconds", 2, "--runs", 1, "--warm-up", 0, "--watchers", 20, "--watch-for", "2s", "--kills", 1)


def test_everything_is_measured_compared_and_cleaned_up(tmp_path: Path) -> None:
    ran = process(
        *("bench", "task", *SMALL, "--data-dir", tmp_path, "--json"),
        *("--fail-if", "by_plain>0", "--fail-if", "again_seconds_max<0"),
    )
    assert ran.code == 1
    assert ran.error["message"].startswith("by_plain is ")
    assert "again_seconds" not in ran.error["message"]
    report = ran.object
    assert (report["bench"], report["plan"]["watchers"], report["server"]) == ("task", 20, {"address": None})
    assert list(report["figures"]) == value_names(FIGURES)
    assert all(value > 0 for value in report["figures"].values())
    assert report["figures"]["watch_events"] >= 20  # a slow watcher receives only the newest update
    assert [sorted(run)[0] for run in report["runs"]] == ["by_plain", "status_p95_ms", "again_seconds"]
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_plan_and_an_unknown_figure_are_refused_at_once() -> None:
    short = facecli("bench", "task", "--seconds", 1, "--watch-for", "60s", "--json")
    assert (short.code, short.error["reason"]) == (2, "INVALID_INPUT")
    unknown = facecli("bench", "task", "--fail-if", "mb_per_s<1", "--json")
    assert unknown.code == 2
    assert "there is no figure mb_per_s; choose from first_progress_ms" in unknown.error["message"]
