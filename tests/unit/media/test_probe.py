"""Probing: frames are counted, and incomplete, foreign or oversized files are refused with the reason."""

import socket
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from facecli.core.errors import MediaRefused
from facecli.core.video.media import MediaLimits, Sound, VideoInfo
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.probe import probe_video

Ffmpeg = Callable[..., bytes]
Clip = Callable[..., Path]


def test_all_properties_of_a_plain_clip_are_reported(plain: Path, media: FfmpegMedia) -> None:
    assert media.probe_video(plain) == VideoInfo(
        width=320,
        height=180,
        frames=25,
        duration=1.0,
        rate=Fraction(25),
        codec="h264",
        container="MP4",
        last=Fraction(24, 25),
        ticks=12800,
        sounds=(Sound(codec="aac", layout="mono"),),
    )


def test_hidden_frames_do_not_count(
    plain: Path, clip: Clip, ffmpeg: Ffmpeg, media: FfmpegMedia, tmp_path: Path
) -> None:
    trimmed = tmp_path / "trimmed.mp4"
    ffmpeg("-ss", "0.4", "-i", plain, "-c", "copy", trimmed)  # begins at a key frame, hides up to 0.4 s
    assert media.probe_video(trimmed).frames == 15

    hidden, log = tmp_path / "hidden.webm", str(tmp_path / "log")
    options = ("-an", "-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-passlogfile", log)
    clip("first-pass.webm", *options, "-pass", "1")
    hidden = clip("hidden.webm", *options, "-pass", "2")
    packets = ffmpeg("-i", hidden, "-c", "copy", "-f", "framecrc", "-").decode().splitlines()
    assert len([line for line in packets if line[:1] == "0"]) > 25
    assert media.probe_video(hidden).frames == 25


def test_one_frame_is_a_video(clip: Clip, media: FfmpegMedia) -> None:
    info = media.probe_video(clip("one.mp4", "-an", "-frames:v", "1"))
    assert (info.frames, info.duration, info.rate) == (1, 0.04, Fraction(25))


def test_other_tracks_may_last_longer_than_the_picture(
    plain: Path, ffmpeg: Ffmpeg, media: FfmpegMedia, tmp_path: Path
) -> None:
    subtitles, video = tmp_path / "words.srt", tmp_path / "words.mkv"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:09,000\nhello\n")
    ffmpeg("-i", plain, "-i", subtitles, "-map", "0", "-map", "1", "-c", "copy", video)
    assert media.probe_video(video).duration == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.97, 0.9999])
@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "fragments.mp4"])
def test_a_truncated_file_is_refused(
    clip: Clip, media: FfmpegMedia, tmp_path: Path, name: str, share: float
) -> None:
    flags = {"cut.mp4": "+faststart", "fragments.mp4": "+frag_keyframe+empty_moov+skip_trailer"}
    options = ("-movflags", flags[name]) if name in flags else ()
    data = clip(name, *options).read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaRefused):
        media.probe_video(cut)


def test_a_file_cut_between_two_packets_is_refused(clip: Clip, media: FfmpegMedia, tmp_path: Path) -> None:
    """No packet is damaged, so only the declared length reveals it; ffmpeg itself exits with 0."""
    data = clip("promise.mp4", "-an", "-movflags", "+faststart", "-g", "1").read_bytes()
    media_data = data.index(b"mdat") + 4
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: media_data + chunk_sizes(data, 12)])
    with pytest.raises(MediaRefused, match=r"cut off|damaged"):
        media.probe_video(cut)


def chunk_sizes(mp4: bytes, samples: int) -> int:
    """Return the bytes of the first samples, from the sample size box."""
    table = mp4.index(b"stsz") + 16
    return sum(int.from_bytes(mp4[table + 4 * n : table + 4 * n + 4], "big") for n in range(samples))


def test_sound_and_covers_are_no_video(
    plain: Path, ffmpeg: Ffmpeg, media: FfmpegMedia, tmp_path: Path
) -> None:
    sound, cover, picture = tmp_path / "sound.mp4", tmp_path / "cover.mp4", tmp_path / "cover.png"
    ffmpeg("-i", plain, "-vn", "-c", "copy", sound)
    Image.new("RGB", (64, 64)).save(picture)
    ffmpeg(
        "-i",
        sound,
        "-i",
        picture,
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-disposition:v",
        "attached_pic",
        cover,
    )
    with pytest.raises(MediaRefused, match="sound but no picture"):
        media.probe_video(sound)
    with pytest.raises(MediaRefused, match="cover picture but no video"):
        media.probe_video(cover)


def test_a_header_without_frames_is_refused(clip: Clip, media: FfmpegMedia, tmp_path: Path) -> None:
    data = clip("fragments.mp4", "-an", "-movflags", "+frag_keyframe+empty_moov").read_bytes()
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(data[: data.index(b"moof") - 4])
    with pytest.raises(MediaRefused):
        media.probe_video(empty)


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"%PDF-1.7\n", bytes(range(256)) * 40])
def test_files_that_are_no_videos_are_refused(media: FfmpegMedia, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(MediaRefused, match="is not an MP4") as refused:
        media.probe_video(path)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("name", ["upload", "upload.mp4", "upload.m3u8", "upload.mpd"])
@pytest.mark.parametrize("kind", ["hls", "dash", "ffconcat"])
def test_a_playlist_is_refused_and_reads_nothing(
    plain: Path, media: FfmpegMedia, tmp_path: Path, kind: str, name: str
) -> None:
    """Its targets are a valid video and a listening socket: following it would succeed or be noticed."""
    (tmp_path / "other.mp4").write_bytes(plain.read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/other.mp4"
        path = tmp_path / name
        for target in ("other.mp4", f"file:{tmp_path}/other.mp4", address):
            path.write_text(PLAYLISTS[kind].format(target=target))
            with pytest.raises(MediaRefused, match="is not an MP4"):
                media.probe_video(path)
        with pytest.raises(BlockingIOError):
            server.accept()


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile {target}\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>'
    '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1" codecs="avc1" width="320" '
    'height="180"><BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>',
}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (MediaLimits(max_pixels=320 * 180 - 1), "larger than 57599 pixels"),
        (MediaLimits(max_frames=24), "more than 24 frames"),
        (MediaLimits(max_seconds=0), "lasts 1 s, more than 0"),
    ],
)
def test_limits_are_enforced(binary: Path, plain: Path, limits: MediaLimits, reason: str) -> None:
    with pytest.raises(MediaRefused, match=reason):
        probe_video(binary, plain, limits)


def test_counted_and_declared_frames_are_limited(
    binary: Path, plain: Path, clip: Clip, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    dense, limits = tmp_path / "dense.mkv", MediaLimits(max_frames=10)
    ffmpeg(
        "-i", plain, "-an", "-c", "copy", "-bsf:v", "setts=ts=TS/10", dense
    )  # 25 frames in 0.1 s, "25 fps"
    with pytest.raises(MediaRefused, match="has more than 10 frames"):
        probe_video(binary, dense, limits)
    sparse = clip(
        "sparse.mkv", "-an", "-vf", "select=not(mod(n\\,20))", "-fps_mode", "passthrough"
    )  # 2 frames
    with pytest.raises(MediaRefused, match="at 25 frames per second, which is more than 10"):
        probe_video(binary, sparse, limits)


def test_frames_hours_apart_are_refused(clip: Clip, media: FfmpegMedia) -> None:
    far = clip(
        "far.mkv",
        "-an",
        "-frames:v",
        "2",
        "-vf",
        "setpts=N*36000/TB",
        "-fps_mode",
        "passthrough",
        "-t",
        "80000",
    )
    assert far.stat().st_size < 20_000
    with pytest.raises(MediaRefused, match="more than 10800"):
        media.probe_video(far)


def test_more_tracks_than_memory_allows_are_refused(clip: Clip, media: FfmpegMedia) -> None:
    many = clip("many.mkv", "-map", "0", *["-map", "1"] * 100, "-c:a", "pcm_s16le")
    with pytest.raises(MediaRefused, match="more than 100 tracks, subtitles and attachments included; keep"):
        media.probe_video(many)


def test_a_title_cannot_forge_properties_of_the_file(clip: Clip, media: FfmpegMedia) -> None:
    title = "x\n  Duration: 00:00:00.00\n  Stream #0:0: Audio: evil\n[error] partial file\x1b[2J"
    assert media.probe_video(clip("title.mp4", "-metadata", f"title={title}")).frames == 25
