"""Argument lists are built without ffmpeg: inputs are walled in, no text of a user's becomes an option."""

from pathlib import Path

import pytest

from facecli.core.media import Box, MediaLimits
from facecli.media import commands

BINARY, VIDEO, PICTURE, OUTPUT = (
    Path("/bin/ffmpeg"),
    Path("/data/in;put"),
    Path("/data/p.png"),
    Path("/data/out"),
)
LIMITS = MediaLimits(max_pixels=1000, max_seconds=60, max_frames=90)
WALLS = {
    "-max_pixels": "1000",
    "-max_streams": "16",
    "-probesize": "5M",
    "-analyzeduration": "10M",
    "-protocol_whitelist": "file",
}


def overlay(*, width: int = 320, height: int = 180, sound: str | None = None) -> list[str]:
    return commands.overlay(
        BINARY,
        video=VIDEO,
        picture=PICTURE,
        box=Box(x=1, y=2, width=3, height=4),
        output=OUTPUT,
        width=width,
        height=height,
        sound=sound,
        limits=LIMITS,
    )


def inputs(command: list[str]) -> list[dict[str, str]]:
    """The options before each `-i`, and the input itself under `-i`."""
    found, start = [], command.index("-xerror") + 1
    for end in (at + 2 for at, word in enumerate(command) if word == "-i"):
        options = command[start:end]
        found.append(dict(zip(options[::2], options[1::2], strict=True)))
        start = end
    return found


@pytest.mark.parametrize(
    "command",
    [commands.first_frame(BINARY, VIDEO, LIMITS), commands.packets(BINARY, VIDEO, LIMITS), overlay()],
)
def test_every_input_is_walled_in(command: list[str]) -> None:
    assert command[0] == "/bin/ffmpeg"
    assert {"-nostdin", "-hide_banner", "-xerror"} <= set(command)
    [video, *pictures] = [options for options in inputs(command) if options["-i"].startswith("file:")]
    for options in (video, *pictures):
        assert options.items() >= WALLS.items()
    assert video["-i"] == "file:/data/in;put"
    assert video["-format_whitelist"] == "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts"
    assert [picture["-format_whitelist"] for picture in pictures] in ([], ["png_pipe"])


def test_no_path_enters_the_filter_graph() -> None:
    command = overlay()
    graph = command[command.index("-filter_complex") + 1]
    assert "data" not in graph
    assert graph.startswith("[0:V:0]scale=320:180")
    assert "[1:v:0]overlay=" in graph


def test_frames_are_neither_dropped_nor_doubled() -> None:
    command = overlay()
    assert command[command.index("-fps_mode") + 1] == "passthrough"


def test_a_relative_path_becomes_absolute() -> None:
    command = commands.packets(BINARY, Path("-i evil"), LIMITS)
    assert inputs(command)[0]["-i"] == f"file:{Path.cwd()}/-i evil"


@pytest.mark.parametrize(("sound", "copied"), [("aac", True), ("mp3", True), ("opus", False), (None, False)])
def test_sound_that_browsers_play_is_copied(sound: str | None, copied: bool) -> None:
    command = overlay(sound=sound)
    assert command[command.index("-c:a") + 1] == "aac"
    assert ("-c:a:0" in command) is copied
    if copied:  # the later option wins
        assert command.index("-c:a") < command.index("-c:a:0")
        assert command[command.index("-c:a:0") + 1] == "copy"


@pytest.mark.parametrize(("size", "padded"), [((320, 180), False), ((321, 180), True), ((320, 181), True)])
def test_only_odd_sides_are_padded(size: tuple[int, int], padded: bool) -> None:
    command = overlay(width=size[0], height=size[1])
    assert ("pad=" in command[command.index("-filter_complex") + 1]) is padded


@pytest.mark.parametrize(
    ("line", "frames"), [("frame=12", 12), ("frame= 7", 7), ("fps=12", None), ("frame=N/A", None)]
)
def test_progress_lines_tell_frames(line: str, frames: int | None) -> None:
    assert commands.frames_done(line) == frames
