"""The engine registry: packages add engines, a broken one is logged and skipped, the mock is built in."""

import logging
import re
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from facecli.core.errors import InvalidInput, NotReady
from facecli.core.video.media import Media
from facecli.engines.mock import MockEngine
from facecli.engines.registry import GROUP, InstalledEngines, declared_engines
from facecli.media.ffmpeg import FfmpegMedia


class Mirror:
    """An engine of a plug-in."""

    name = "mirror"
    version = "2"
    needs = ("a mirror",)

    def __init__(self, media: Media) -> None:
        self.media = media

    def check(self, options: Mapping[str, str]) -> None: ...

    def swap(self, job: object, *, progress: object, stopped: object) -> None: ...


class GpuMirror(Mirror):
    """An engine that does not run on this machine."""

    def start(self) -> str:
        raise NotReady("no GPU here")


class LacksGpu:
    def __init__(self, media: Media) -> None:
        raise RuntimeError("no GPU here")


class Incomplete:
    def __init__(self, media: Media) -> None: ...


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this file importable as a package would be."""
    monkeypatch.setitem(sys.modules, "other_engines", sys.modules[__name__])


def plugin(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


def test_the_built_in_engines_need_no_plugin_and_mesh_is_the_default(media: FfmpegMedia) -> None:
    engines = InstalledEngines(media, plugins=list)
    assert engines.names() == ["inswapper", "mesh", "mock"]
    assert isinstance(engines.get("mock"), MockEngine)
    assert engines.default() == ("mesh", "")


def test_without_opencv_the_mock_is_the_default_with_the_reason(
    media: FfmpegMedia, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    engines = InstalledEngines(
        media, plugins=lambda: [plugin("mesh", "facecli.engines.mesh.engine:MeshEngine")]
    )
    assert engines.names() == ["inswapper", "mock"]
    name, reason = engines.default()
    assert name == "mock"
    install = "install it with: pip install 'opencv-python-headless<5'"
    assert reason == f"engine mesh cannot be used: OpenCV is missing; {install}"
    _, mesh, _ = engines.infos()
    assert mesh.broken in reason
    assert caplog.messages == []


def test_built_in_engines_declare_options_whose_defaults_they_accept(media: FfmpegMedia) -> None:
    engines = InstalledEngines(media, plugins=list)
    for info in engines.infos():
        assert info.options
        engines.get(info.name).check({each.name: each.default for each in info.options if each.default})
        for option in info.options:
            with pytest.raises(InvalidInput, match=re.escape(option.values)):
                engines.get(info.name).check({option.name: "unheard-of"})


def test_packages_add_engines(media: FfmpegMedia) -> None:
    engines = InstalledEngines(media, plugins=lambda: [plugin("mirror", "other_engines:Mirror")])
    assert engines.names() == ["inswapper", "mesh", "mirror", "mock"]
    mirror = engines.get("mirror")
    assert isinstance(mirror, Mirror)
    assert mirror.media is media
    assert engines.get("mirror") is mirror


def test_an_engine_that_cannot_start_here_is_known_with_the_reason(
    media: FfmpegMedia,
) -> None:
    both = [plugin("mirror", "other_engines:Mirror"), plugin("gpu", "other_engines:GpuMirror")]
    engines = InstalledEngines(media, plugins=lambda: both)
    started = {engine.name: engine for engine in engines.start()}
    assert (started["gpu"].unavailable, started["mirror"].unavailable) == ("no GPU here", "")
    assert {"gpu", "mirror"} <= set(engines.names())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package:Engine", "No module named 'no_such_package'"),
        ("other_engines:Missing", "Missing"),
        ("other_engines:LacksGpu", "no GPU here"),
        ("other_engines:Incomplete", "has no name and no version and no needs and no check and no swap"),
    ],
)
def test_a_broken_engine_is_logged_and_skipped(
    media: FfmpegMedia, caplog: pytest.LogCaptureFixture, value: str, reason: str
) -> None:
    both = [plugin("broken", value), plugin("mirror", "other_engines:Mirror")]
    with caplog.at_level(logging.WARNING):
        assert InstalledEngines(media, plugins=lambda: both).names() == [
            "inswapper",
            "mesh",
            "mirror",
            "mock",
        ]
    [record] = caplog.records
    fields = vars(record)
    assert (record.message, fields["engine"], fields["entry_point"]) == ("engine skipped", "broken", value)
    assert reason in fields["reason"]


def test_no_plugin_can_take_the_name_of_the_mock(
    media: FfmpegMedia, caplog: pytest.LogCaptureFixture
) -> None:
    own, foreign = plugin("mock", "facecli.engines.mock:MockEngine"), plugin("mock", "other_engines:Mirror")
    assert isinstance(InstalledEngines(media, plugins=lambda: [own]).get("mock"), MockEngine)
    assert caplog.messages == []
    with caplog.at_level(logging.WARNING):
        assert isinstance(InstalledEngines(media, plugins=lambda: [foreign]).get("mock"), MockEngine)
    assert [vars(record)["reason"] for record in caplog.records] == ["the name is taken"]


def test_an_unknown_name_is_refused_with_the_known_ones(media: FfmpegMedia) -> None:
    with pytest.raises(InvalidInput, match="no engine 'magic'; there are: inswapper, mesh, mock"):
        InstalledEngines(media, plugins=list).get("magic")


def test_plugins_are_loaded_on_first_use(media: FfmpegMedia) -> None:
    loads: list[str] = []

    def plugins() -> list[EntryPoint]:
        loads.append("now")
        return []

    engines = InstalledEngines(media, plugins=plugins)
    assert loads == []
    engines.names()
    engines.names()
    assert loads == ["now"]


def test_entry_points_of_installed_packages_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "mirror-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: mirror\nVersion: 1\n")
    (package / "entry_points.txt").write_text(f"[{GROUP}]\nmirror = other_engines:Mirror\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "mirror" in [entry.name for entry in declared_engines()]
