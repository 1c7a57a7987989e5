"""Which ffmpeg: the wanted one, the one on PATH, the one of imageio-ffmpeg; else a sentence with cures."""

from pathlib import Path

import pytest

from facecli.core.errors import FfmpegMissing
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import ffmpeg_version, find_ffmpeg


def program(path: Path, says: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_the_wanted_one_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program(tmp_path / "bin" / "ffmpeg", "").parent))
    wanted = program(tmp_path / "mine", "")
    assert find_ffmpeg(str(wanted)) == wanted


def test_then_comes_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = program(tmp_path / "bin" / "ffmpeg", "")
    monkeypatch.setenv("PATH", str(there.parent))
    assert find_ffmpeg() == there


def test_then_comes_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "imageio_ffmpeg" in str(find_ffmpeg())


@pytest.mark.parametrize("wanted", ["no-such-ffmpeg", "/no/such/ffmpeg", "/etc/passwd", "/"])
def test_a_wanted_one_that_is_no_program_is_named(wanted: str) -> None:
    with pytest.raises(FfmpegMissing, match=wanted) as missing:
        find_ffmpeg(wanted)
    assert "apt-get install ffmpeg" in missing.value.hint
    assert "pip install" in missing.value.hint


@pytest.mark.parametrize(
    "says", ["ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright", "ffmpeg version n5.0", "hello"]
)
def test_one_that_is_too_old_or_another_program_is_refused(tmp_path: Path, says: str) -> None:
    with pytest.raises(FfmpegMissing):
        FfmpegMedia(wanted=str(program(tmp_path / "ffmpeg", says))).version()


@pytest.mark.parametrize("version", ["5.1.9-0+deb12u1", "n9.0.2-17-g2a571b6068", "N-117000-g1234567"])
def test_the_version_is_told(tmp_path: Path, version: str) -> None:
    ffmpeg = program(tmp_path / "ffmpeg", f"ffmpeg version {version} Copyright (c)")
    assert ffmpeg_version(ffmpeg) == version
    assert FfmpegMedia(wanted=str(ffmpeg)).version() == f"{version} ({ffmpeg})"


def test_nothing_is_looked_for_until_it_is_needed() -> None:
    FfmpegMedia(wanted="/no/such/ffmpeg")
