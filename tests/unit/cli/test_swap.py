"""`facecli swap` and `facecli demo`: the whole flow in one command."""

import shutil
from pathlib import Path

import pytest

from tests.support.cli import TASK, facecli, process
from tests.unit.cli.conftest import Samples


@pytest.mark.usefixtures("user")
def test_swap_writes_the_result_and_prints_its_path(samples: Samples, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    swap = ("swap", samples.face, samples.clip, "-o", out)
    first = facecli(*swap, "--json")
    assert set(first.object) == TASK | {"path"}
    assert (first.object["status"], first.object["path"]) == ("completed", str(out))
    assert out.stat().st_size == first.object["result_size"]
    assert facecli(*swap).out == f"{out}\n"
    quiet = facecli(*swap, "-q")
    assert (quiet.out, quiet.err) == (f"{out}\n", "")
    assert facecli(*swap, "--json").object["task_id"] == first.object["task_id"]


@pytest.mark.usefixtures("user")
def test_swap_reports_the_reason_of_a_failed_task(samples: Samples, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    ran = facecli("swap", samples.face, samples.clip, "-o", out, "--json", "--option", "fail_at=0.5")
    assert (ran.code, ran.out) == (3, "")
    assert "fail_at=0.5" in ran.error["message"]
    assert not out.exists()


@pytest.mark.usefixtures("user")
def test_swap_rejects_an_unusable_output_before_uploading(samples: Samples, tmp_path: Path) -> None:
    face, clip = (shutil.copy(path, tmp_path) for path in (samples.face, samples.clip))
    for out, expected in {
        tmp_path / "none" / "out.mp4": "create it first",
        tmp_path: "is a directory",
        clip: "would be overwritten",
    }.items():
        ran = facecli("swap", face, clip, "-o", out, "--json")
        assert (ran.code, ran.out) == (2, "")
        assert expected in ran.error["message"]
    assert facecli("task", "list").out == ""


def test_demo_keeps_a_verified_result(tmp_path: Path) -> None:
    ran = process("demo", "--keep", tmp_path / "demo", "--json")
    assert ran.code == 0, ran.err
    assert set(ran.object) == TASK | {"path"}
    assert Path(ran.object["path"]).stat().st_size == ran.object["result_size"]
