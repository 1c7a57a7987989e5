"""Sound of every kind stays in sync, keeps its language, and never costs the video."""

from pathlib import Path

import pytest

from tests.support.media.ffmpegs import ffmpeg
from tests.support.media.odd import H264, PICTURE, SOUND, SYNC, Swap, alternating, check_same, pairwise
from tests.support.media.seen import look_at


@pairwise("codec,name", ["aac", "mp2", "ac3"], ["late.ts", "late.m2ts"])
def test_sound_that_begins_late_in_a_transport_stream_stays_in_sync(
    swapped: Swap, tmp_path: Path, codec: str, name: str
) -> None:
    late = tmp_path / name
    ffmpeg(*PICTURE, "-itsoffset", "1.3", *SOUND, "-map", "0", "-map", "1", *H264, "-c:a", codec, late)
    before, _ = check_same(late, swapped(late, segment_megapixels=3).output)
    assert before.sounds[0].onset == pytest.approx(1.5, abs=SYNC)


@alternating(
    "codec,times",
    [
        ("libopus", "setts=ts=if(eq(N\\,20)\\,TS-960\\,TS)"),  # equal
        ("libopus", "setts=ts=if(eq(N\\,20)\\,TS-4000\\,TS)"),  # going back
        ("aac", "setts=ts=if(eq(N\\,20)\\,TS-1024\\,TS)"),
        ("pcm_s16le", "setts=ts=if(eq(N\\,20)\\,TS-1024\\,TS)"),
    ],
)
def test_sound_whose_times_do_not_rise_is_kept(
    clip: Path, swapped: Swap, tmp_path: Path, codec: str, times: str
) -> None:
    video = tmp_path / "back.mkv"
    ffmpeg("-i", clip, "-c:v", "copy", "-c:a", codec, "-bsf:a", times, video)
    result = swapped(video)
    assert result.notes == []
    check_same(video, result.output)


def test_a_file_of_fragments_of_one_frame_is_swapped(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "fragments.mp4"
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "dash+frag_every_frame", video)
    after = look_at(swapped(video, segment_megapixels=3).output)
    assert after.times == look_at(video).times
    # ffmpeg plays half of the sound of such a file, and copies all of it.
    assert after.sounds[0].onset == pytest.approx(0.2, abs=SYNC)
    assert after.sounds[0].seconds == pytest.approx(1, abs=SYNC)


def test_a_sound_track_that_cannot_be_decoded_is_left_out_and_said_so(
    clip: Path, swapped: Swap, tmp_path: Path
) -> None:
    video = tmp_path / "phone.mov"
    ffmpeg("-i", clip, "-map", "0", "-map", "0:a", "-c", "copy", "-c:a:1", "pcm_s16le", video)
    video.write_bytes(video.read_bytes().replace(b"sowt", b"apac"))
    result = swapped(video)
    (note,) = result.notes
    assert note.startswith("sound track 2 (")
    assert "is left out: " in note
    check_same(video, result.output)


def test_sound_in_garbage_is_left_out(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "garbage.mkv"
    ffmpeg("-i", clip, "-c:v", "copy", "-c:a", "libvorbis", "-bsf:a", "noise=amount=1", video)
    result = swapped(video)
    assert look_at(result.output).frames == 25


@alternating(
    "name,options",
    [
        ("24.mkv", ["-c:a", "pcm_s16le", "-af", "aformat=channel_layouts=22.2"]),
        ("unknown.mov", ["-c:a", "pcm_s16le", "-af", "pan=5c|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0"]),
        ("wide.mkv", ["-c:a", "flac", "-af", "aformat=channel_layouts=7.1(wide)"]),
        ("float.mov", ["-c:a", "pcm_f64le", "-ar", "192000"]),
        ("bytes.avi", ["-c:a", "pcm_u8", "-ar", "11025"]),
        ("amr.mov", ["-c:a", "pcm_alaw", "-ar", "8000"]),
    ],
)
def test_sound_of_any_layout_and_format_is_kept(
    clip: Path, swapped: Swap, tmp_path: Path, name: str, options: list[str]
) -> None:
    video = tmp_path / name
    ffmpeg("-i", clip, "-c:v", "mpeg4" if name.endswith("avi") else "copy", *options, video)
    (sound,) = look_at(swapped(video).output).sounds
    assert sound.onset == pytest.approx(0.2, abs=SYNC)


LANGUAGES = {
    "en-US": "eng",
    "deu": "deu",
    "zh-Hans-CN": "zho",
    "pt_BR": "por",
    "x\n[STREAM]\nlanguage=fra": "und",
    "de": "deu",
    "nonsense": "und",
    "mis": "und",
}


def test_each_track_keeps_its_own_language(clip: Path, swapped: Swap, tmp_path: Path) -> None:
    video = tmp_path / "languages.mkv"
    tags = [
        word
        for at, tag in enumerate(LANGUAGES)
        for word in ("-map", "0:a", f"-metadata:s:a:{at}", f"language={tag}")
    ]
    ffmpeg("-i", clip, "-map", "0:v", *tags, "-c", "copy", video)
    after = look_at(swapped(video).output)
    assert [language or "und" for language in after.languages] == list(LANGUAGES.values())


@alternating(
    "text",
    [
        "a=b=c",
        "two\nlines; #1",
        "tail\\",
        "x\n[info]   Stream #0:1: Audio: evil",
        b"\xff\xfe\x80".decode("latin1"),
    ],
)
def test_titles_and_handlers_of_any_text_change_nothing(
    clip: Path, swapped: Swap, tmp_path: Path, text: str
) -> None:
    video = tmp_path / "titled.mkv"
    tags = [f"-metadata{of}" for of in ("", ":s:v", ":s:a:0", ":s:a:1")]
    words = [word for tag in tags for word in (tag, f"title={text}", tag, f"handler_name={text}")]
    language = ("-metadata:s:a:1", "language=deu")
    ffmpeg("-i", clip, "-map", "0", "-map", "0:a", "-c", "copy", *words, *language, video)
    _, after = check_same(video, swapped(video).output)
    assert [language or "und" for language in after.languages] == ["und", "deu"]
