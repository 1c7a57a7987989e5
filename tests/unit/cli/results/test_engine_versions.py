"""A new version of an engine never passes for the old one, and `--fresh` makes a result again."""

import os
from pathlib import Path

import pytest

from facecli.engines.registry import GROUP
from tests.support.cli import Server, facecli, run_server
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.slow


ENGINE = """
from facecli.engines.mock import MockEngine


class Plug(MockEngine):
    name, version = "plug", "{version}"
"""


def install(site: Path, version: str) -> str:
    """Install an engine of this version; the PYTHONPATH that finds it."""
    about = site / "plug-1.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (site / "plug.py").write_text(ENGINE.format(version=version))
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\nplug = plug:Plug\n")
    return os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])


def swap(server: Server, samples: Samples, out: Path, *more: str) -> dict[str, object]:
    ran = facecli(
        *("swap", samples.face, samples.clip, "-o", out, "--engine", "plug", "--json", "--force"),
        *("--server", server.address, *more),
    )
    assert ran.code == 0, ran.err
    return ran.object


def test_another_version_of_the_engine_makes_another_result(samples: Samples, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    made = list[dict[str, object]]()
    for version in ("1", "2", "1"):
        with run_server(tmp_path / "data", PYTHONPATH=install(tmp_path / "site", version)) as server:
            made.append(swap(server, samples, out))
            assert made[-1]["engine_version"] == version
            listed = facecli("task", "list", "--server", server.address)
            assert f"plug {version}" in listed.out
    first, second, third = (task["task_id"] for task in made)
    assert first == third != second


@pytest.mark.usefixtures("user")
def test_an_earlier_result_is_named_as_such_and_made_again_on_request(
    samples: Samples, tmp_path: Path
) -> None:
    command = ("swap", samples.face, samples.clip, "-o")
    first = facecli(*command, tmp_path / "1.mp4")
    again = facecli(*command, tmp_path / "2.mp4")
    fresh = facecli(*command, tmp_path / "3.mp4", "--fresh")
    last = facecli(*command, tmp_path / "4.mp4", "--json")
    assert [run.code for run in (first, again, fresh, last)] == [0, 0, 0, 0]
    assert "--fresh makes it again" not in first.err + fresh.err
    assert " ago by mock 2; --fresh makes it again" in again.err
    newest, oldest = facecli("task", "list", "--json").objects
    assert last.object["task_id"] == newest["task_id"] != oldest["task_id"]
    assert facecli(*command, tmp_path / "1.mp4", "--fresh").code == 2


@pytest.mark.usefixtures("user")
def test_other_options_make_another_result(samples: Samples, tmp_path: Path) -> None:
    command = ("swap", samples.face, samples.clip, "--json", "-o")
    one = facecli(*command, tmp_path / "1.mp4", "--option", "seed=1").object
    two = facecli(*command, tmp_path / "2.mp4", "--option", "seed=2").object
    assert (one["options"], two["options"]) == ({"seed": "1"}, {"seed": "2"})
    assert one["task_id"] != two["task_id"]
    refused = facecli(*command, tmp_path / "1.mp4", "--option", "seed=2")
    assert (refused.code, "already exists and is different" in refused.error["message"]) == (2, True)


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--engine", "nosuch"), "there is no engine 'nosuch'; there are: inswapper, mesh, mock"),
        (("--option", "dealy=1"), "engine mock has no option 'dealy'"),
        (("--option", "delay"), "--option 'delay' is not K=V"),
    ],
)
def test_a_wrong_engine_or_option_is_refused_before_a_byte_is_sent(
    more: tuple[str, ...], expected: str, samples: Samples, tmp_path: Path
) -> None:
    for command in (
        ("swap", samples.face, samples.clip, "-o", tmp_path / "out.mp4"),
        ("task", "create", "--image", samples.face, "--video", samples.clip),
    ):
        ran = facecli(*command, *more, "--json")
        assert (ran.code, expected in ran.error["message"]) == (2, True)
    assert facecli("file", "list").out == ""
