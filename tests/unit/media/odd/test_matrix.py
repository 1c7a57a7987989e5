"""The generated matrix: every video is refused for a true reason, or comes out as plain ffmpeg sees it.

MATRIX=all runs every element, MATRIX=N the first N; MATRIX_LOG names a file for a line about each.
"""

import os
from pathlib import Path

import pytest

from facecli.core.errors import MediaRefused
from tests.support.e2e.requirements import REQUIREMENTS, skip_or_fail
from tests.support.media.ffmpegs import OLDEST, newest
from tests.support.media.matrix import AXES, Element
from tests.support.media.pairwise import elements
from tests.support.media.seen import look_at
from tests.support.media.swapped import swap

DEFAULT = 20  # elements in an ordinary run: enough for every value of every axis
SYNC = 0.03  # seconds by which sound may move: half a frame of AAC at 16 kHz
BACK = 0.07  # and where its times go back by 0.06 s
LENGTH = 0.1  # by which its end may move: ffmpeg does not know how long the last packet of some codecs is
_WANTED = os.environ.get("MATRIX", str(DEFAULT))


@pytest.mark.parametrize("element", elements(None if _WANTED == "all" else int(_WANTED)), ids=str)
def test_a_generated_video_is_swapped_right(element: Element, tmp_path: Path) -> None:
    if element.ffmpeg == "oldest" and not REQUIREMENTS["ffmpeg 5.1"].available():
        skip_or_fail(REQUIREMENTS["ffmpeg 5.1"].remedy)
    video = element.make(tmp_path)
    binary = newest() if element.ffmpeg == "newest" else OLDEST
    try:
        result = swap(binary, video, tmp_path, segment_megapixels=2)
    except MediaRefused as refused:
        log(element, f"refused: {refused}")
        raise
    before, after = look_at(video), look_at(result.output)
    assert after.frames == before.frames
    for time, wanted in zip(after.times, before.times, strict=True):
        assert float(time) == pytest.approx(float(wanted), abs=0.0011)
    assert after.size == before.size
    assert not after.interlaced
    assert len(after.sounds) == len(before.sounds)
    for sound, original in zip(after.sounds, before.sounds, strict=True):
        back = element.oddity == "sound goes back"
        assert sound.onset == pytest.approx(original.onset, abs=BACK if back else SYNC)
        assert sound.seconds == pytest.approx(original.seconds, abs=LENGTH)
    languages = ["eng" if language.startswith("en") else language or "und" for language in before.languages]
    assert [language or "und" for language in after.languages] == languages
    log(element, "swapped" + "".join(f"; {note}" for note in result.notes))


def log(element: Element, text: str) -> None:
    if path := os.environ.get("MATRIX_LOG"):
        with Path(path).open("a") as file:
            file.write(f"{element}: {text}\n")


def test_an_ordinary_run_covers_every_value_of_every_axis() -> None:
    found = elements(DEFAULT)
    for axis, values in AXES.items():
        assert {getattr(element, axis) for element in found} == set(values)
