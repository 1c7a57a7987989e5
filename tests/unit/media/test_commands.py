"""Argument lists, built without ffmpeg: inputs are hardened, and no user's text becomes an option."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from facecli.core.video.formats import demuxers
from facecli.core.video.media import MediaLimits, OverlayJob, Segment, Sound, VideoInfo, VideoPlan
from facecli.core.video.placement import Oscillation, Placement
from facecli.media.commands import first_frame_command, packets_command, parse_frames_done
from facecli.media.join import concat_list, join_command
from facecli.media.overlay import overlay_command
from facecli.media.sound import forms_of, sound_command

BINARY, VIDEO, PICTURE, OUTPUT = (
    Path("/bin/ffmpeg"),
    Path("/data/in;put"),
    Path("/data/p.png"),
    Path("/data/out"),
)
LIMITS = MediaLimits(max_pixels=1000, max_seconds=60, max_frames=90)
HARDENING = {
    "-max_pixels": "1000",
    "-max_streams": "100",
    "-probesize": "5M",
    "-analyzeduration": "10M",
    "-protocol_whitelist": "file",
}


INFO = VideoInfo(
    width=320,
    height=180,
    frames=100,
    duration=4,
    rate=Fraction(25),
    codec="",
    start=Fraction(1, 10),
    ticks=1000,
)
PLACEMENT = Placement(
    width=6, height=4, x=Oscillation(middle=20, reach=10, period=2, phase=0.5), y=Oscillation(middle=8)
)


def segment(index: int = 0, *, before: int = 0, frames: int = 100) -> Segment:
    start, end = (INFO.start + Fraction(frame, 25) for frame in (before, before + frames))
    return Segment(index=index, before=before, frames=frames, start=start, end=end, key=start)


def overlay(of: Segment | None = None, **properties: Any) -> list[str]:
    of = of or segment()
    job = OverlayJob(
        video=VIDEO,
        segment=of,
        info=replace(INFO, **properties),
        picture=PICTURE,
        placement=PLACEMENT,
        output=OUTPUT,
    )
    return overlay_command(BINARY, job, key=of.key if of.before else None, limits=LIMITS)


def join() -> list[str]:
    plan = VideoPlan(info=INFO, segments=(segment(),), last=INFO.last)
    return join_command(
        BINARY,
        part_list=Path("/data/names"),
        sound=Path("/data/sound"),
        output=OUTPUT,
        plan=plan,
        metadata={"AIGC": "{}"},
        limits=LIMITS,
    )


def sound(*sounds: Sound, form: int = 0, **properties: Any) -> list[str]:
    """The command that writes each track in the form of this number."""
    tracks = [(track, forms_of(track)[form]) for track in sounds]
    plan = VideoPlan(info=replace(INFO, **properties), segments=(segment(),), last=INFO.last)
    return sound_command(BINARY, VIDEO, plan, OUTPUT, tracks=tracks, limits=LIMITS)


def graph(command: list[str]) -> str:
    return command[command.index("-filter_complex") + 1]


def inputs(command: list[str]) -> list[dict[str, str]]:
    """Return the options before each `-i`, and the input itself under `-i`."""
    flags = {"-xerror", "-copyts", "-noaccurate_seek"}  # without a value
    command = [word for word in command if word not in flags]
    options_of_inputs, start = [], command.index("-max_alloc") + 2
    for end in (at + 2 for at, word in enumerate(command) if word == "-i"):
        options = command[start:end]
        options_of_inputs.append(dict(zip(options[::2], options[1::2], strict=True)))
        start = end
    return options_of_inputs


@pytest.mark.parametrize(
    "command",
    [
        first_frame_command(BINARY, VIDEO, LIMITS),
        packets_command(BINARY, VIDEO, LIMITS),
        overlay(),
        overlay(segment(1, before=50, frames=10)),
    ],
)
def test_every_input_is_hardened(command: list[str]) -> None:
    assert command[0] == "/bin/ffmpeg"
    assert {"-nostdin", "-hide_banner", "-xerror", "-copyts"} <= set(command)
    [video, *pictures] = [options for options in inputs(command) if options["-i"].startswith("file:")]
    for options in (video, *pictures):
        assert options.items() >= HARDENING.items()
    assert video["-i"] == "file:/data/in;put"
    assert video["-format_whitelist"] == ",".join(demuxers())
    assert [picture["-format_whitelist"] for picture in pictures] in ([], ["png_pipe"])


def test_only_our_own_list_may_name_other_files() -> None:
    part_list, extracted = inputs(join())
    assert part_list["-format_whitelist"] == "concat,mov,mp4,m4a,3gp,3g2,mj2"
    assert extracted["-format_whitelist"] == "mov,mp4,m4a,3gp,3g2,mj2"
    assert part_list["-protocol_whitelist"] == extracted["-protocol_whitelist"] == "file"


def test_no_path_enters_the_filter_graph() -> None:
    text = graph(overlay())
    assert "data" not in text
    assert text.startswith("[0:V:0]settb=1/1000[")


def test_frames_are_neither_dropped_nor_duplicated() -> None:
    command = overlay()
    assert command[command.index("-fps_mode") + 1] == "passthrough"
    assert "trim" not in graph(command)


def test_a_segment_is_read_from_its_key_frame_and_cut_just_before_its_frames() -> None:
    command = overlay(segment(1, before=50, frames=10))
    assert inputs(command)[0].items() >= {"-ss": "2100000us", "-seek_timestamp": "1"}.items()
    assert "trim=end=2499999us:start=2099999us" in graph(command)
    assert "end=" not in graph(overlay(segment(1, before=50, frames=50)))


def test_a_placement_counts_from_the_first_frame_of_the_video() -> None:
    text = graph(overlay(segment(1, before=50, frames=10)))
    assert "x=20.000+10.000*sin(2*PI*((t+2.000000000)/2.000000000+0.500000000)):y=8" in text


@pytest.mark.parametrize(
    ("properties", "formats"),
    [
        ({}, ["yuv420p"]),
        ({"range": "pc"}, ["yuvj420p"]),
        ({"bits": 10}, ["yuv420p10le"]),
        ({"width": 321}, ["yuv420p", "yuv444p"]),
        ({"height": 181, "bits": 10}, ["yuv420p10le", "yuv444p10le"]),
        ({"height": 181, "range": "pc"}, ["yuvj420p", "yuvj444p"]),
    ],
)
def test_depth_and_range_stay_and_an_odd_side_becomes_4_4_4(
    properties: dict[str, Any], formats: list[str]
) -> None:
    text = graph(overlay(**properties))
    assert re.findall(r"]format=(yuvj?4\w+)", text) == formats


def test_segments_are_listed_with_durations_that_do_not_drift() -> None:
    thirds = [
        replace(segment(index), start=Fraction(index, 3), end=Fraction(index + 1, 3)) for index in range(3)
    ]
    assert concat_list(["0.mp4", "../1.mp4", "2.mp4"], thirds).splitlines() == [
        "ffconcat version 1.0",
        "file 0.mp4",
        "duration 333333us",
        "file ../1.mp4",
        "duration 333333us",
        "file 2.mp4",
        "duration 333334us",
    ]


def test_a_relative_path_becomes_absolute() -> None:
    command = packets_command(BINARY, Path("-i evil"), LIMITS)
    assert inputs(command)[0]["-i"] == f"file:{Path.cwd()}/-i evil"


@pytest.mark.parametrize(
    ("track", "form", "options"),
    [
        (Sound(codec="aac", layout="stereo"), 0, {"-c:a:1": "copy"}),
        (Sound(codec="opus", layout="mono"), 0, {"-c:a:1": "copy"}),
        (Sound(codec="opus", layout="mono"), 1, {"-c:a:1": "aac", "-b:a:1": "192k"}),
        (Sound(codec="vorbis", layout="stereo"), 0, {"-c:a:1": "aac", "-b:a:1": "192k"}),
        (Sound(codec="pcm_s24le", layout="5.1(side)"), 0, {"-c:a:1": "aac", "-b:a:1": "448k"}),
        (Sound(codec="pcm_s24le", layout="5.1(side)"), 1, {"-c:a:1": "aac", "-ac:a:1": "2"}),
    ],
)
def test_sound_that_an_mp4_holds_is_copied_first(track: Sound, form: int, options: dict[str, str]) -> None:
    command = sound(track, track, form=form)
    for option, value in options.items():
        assert command[command.index(option) + 1] == value


def test_tracks_are_taken_by_number_with_their_language_and_times_since_the_origin() -> None:
    command = sound(
        Sound(codec="aac", stream=3), Sound(codec="aac", stream=7, language="deu"), origin=Fraction(7, 5)
    )
    maps = [command[at + 1] for at, word in enumerate(command) if word == "-map"]
    assert maps == ["0:3", "0:7"]
    assert command[command.index("-metadata:s:a:1") + 1] == "language=deu"
    assert command[command.index("-output_ts_offset") + 1] == "-1400000us"
    assert "-copyts" in command


def test_a_picture_later_than_its_sound_keeps_its_offset() -> None:
    assert inputs(join())[0]["-itsoffset"] == "100000us"


@pytest.mark.parametrize(
    ("line", "frames"), [("frame=12", 12), ("frame= 7", 7), ("fps=12", None), ("frame=N/A", None)]
)
def test_progress_lines_yield_frames(line: str, frames: int | None) -> None:
    assert parse_frames_done(line) == frames
