"""Hostile videos: broken, endless, enormous, or of another type than declared."""

import struct
import zlib
from collections.abc import Iterator

from tests.hostile.containers import atom_end, box, element, encode_number, prepend
from tests.hostile.materials import FileFactory, HostileFile, Materials, accepted, either, reencoded, refused
from tests.hostile.playlists import NOT_A_VIDEO

EVIL_TITLE = "x\n\x1b[2J\x1b]0;owned\x07\r\nFAKE error line\u202e"
CUT = "cut off|damaged|not an MP4|cannot be decoded|no frames"
DENSE = ("-an", "-c", "copy", "-bsf:v", "setts=ts=N:time_base=1/1000000")


NO_VIDEO = "no video|not an MP4|no frames|cannot be decoded"
FFV1 = ("-c:v", "ffv1", "-an")
OTHERS: dict[str, tuple[str, ...]] = {
    "gif": (),
    "flv": ("-c:v", "flv1", "-an"),
    "ogg": ("-c:v", "libtheora", "-an"),
    "y4m": ("-an",),
    "mjpeg": ("-an",),
    "h264": ("-an",),
    "nut": (),
}


def videos() -> Iterator[HostileFile]:
    yield accepted("a title with lines and ESC", reencoded("t.mp4", "-metadata", f"title={EVIL_TITLE}"))
    for share in (0.05, 0.5, 0.9, 0.99):
        yield refused(f"MP4 cut at {share:.0%}", _cut(lambda materials: materials.clip, share), CUT)
        yield refused(f"MKV cut at {share:.0%}", _cut(reencoded("x.mkv", "-c", "copy"), share), CUT)
    yield refused("MPEG-TS without its first frame", lambda materials: materials.reencode("x.ts")[3000:], CUT)
    yield refused("300 tracks", _tracks, "more than 100 tracks")
    yield refused("frames of 16000 × 16000", _huge, "larger than 36000000 pixels")
    yield refused("JPEG frames of 30000 × 30000", _huge_frames, "larger than|cannot be decoded")
    yield refused("two frames ten hours apart", _far, "more than 10800")
    yield either(
        "frames microseconds apart", reencoded("dense.mp4", *DENSE), "cannot be converted|wrote 11 frames"
    )
    yield refused("sound alone", reencoded("s.mp4", "-vn"), "sound but no picture")
    yield refused("no frames", _index_alone, NO_VIDEO)
    yield refused("a cover alone", _cover, "cover picture but no video")
    yield refused("a header alone", lambda materials: materials.clip[:32], NOT_A_VIDEO)
    yield refused("nothing but zeros", lambda materials: bytes(100_000), NOT_A_VIDEO)
    yield refused("one byte", lambda materials: b"\0", NOT_A_VIDEO)
    yield refused("boxes in boxes", _nested, NO_VIDEO)
    yield refused("a box of 4 GiB", _large_box, NO_VIDEO)
    yield refused("an index of 2³² samples", _index_bomb, CUT)
    yield refused("a packed index that promises 4 GiB", _promised_index, NO_VIDEO)
    yield refused("a packed index that unpacks to 1 GB", _zeros_index, NO_VIDEO)
    yield refused("frames that unpack to 300 MB", _packed_frames, NO_VIDEO)
    yield refused("elements in elements", _deep_elements, NO_VIDEO)
    yield accepted("two pixels by two", reencoded("2.mkv", "-vf", "scale=2:2", *FFV1))
    yield accepted("a line of pixels", reencoded("l.mkv", "-vf", "scale=4000:2", *FFV1))
    yield accepted("odd sides", reencoded("o.mkv", "-vf", "scale=161:121", *FFV1))
    yield accepted("ten bits of every colour", reencoded("10.mkv", "-pix_fmt", "yuv444p10le"))
    yield accepted("a size that changes midway", _changing)
    yield accepted("a matrix of nonsense", _turned)
    for kind, options in OTHERS.items():
        yield refused(f"a {kind} by another name", reencoded(f"x.{kind}", *options), NOT_A_VIDEO)
    yield refused("a picture", lambda materials: materials.face, NOT_A_VIDEO)
    yield accepted("a PDF and a ZIP that is an MP4", _polyglot)


def _cut(make: FileFactory, share: float) -> FileFactory:
    def cut(materials: Materials) -> bytes:
        data = make(materials)
        return data[: int(len(data) * share)]

    return cut


def _tracks(materials: Materials) -> bytes:
    silence = ("-f", "lavfi", "-i", "anullsrc=sample_rate=8000", *["-map", "0"] * 300)
    return materials.run_ffmpeg("many.mkv", *silence, "-t", "0.1", "-c:a", "pcm_s16le")


def _huge(materials: Materials) -> bytes:
    """Return a valid file whose track declares 16000 × 16000 pixels."""
    clip = materials.run_ffmpeg(
        *("raw.mkv", "-f", "lavfi", "-i", "color=size=16x16", "-frames:v", "1"),
        *("-c:v", "rawvideo", "-pix_fmt", "yuv420p"),
    )
    size, larger = b"\xb0\x81\x10\xba\x81\x10\x9a\x81\x02", b"\xb0\x83\x00\x3e\x80\xba\x82\x3e\x80"
    assert size in clip
    return clip.replace(size, larger)


def _huge_frames(materials: Materials) -> bytes:
    clip = bytearray(materials.reencode("j.mkv", "-c:v", "mjpeg", "-an"))
    at = -1
    while (at := clip.find(b"\xff\xc0\x00\x11\x08", at + 1)) >= 0:
        clip[at + 5 : at + 9] = struct.pack(">HH", 30_000, 30_000)
    return bytes(clip)


def _far(materials: Materials) -> bytes:
    two = ("-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "2", "-vf", "setpts=N*36000/TB")
    return materials.run_ffmpeg("far.mkv", *two, "-fps_mode", "passthrough", "-t", "80000")


def _index_alone(materials: Materials) -> bytes:
    whole = materials.reencode("f.mp4", "-an", "-c", "copy", "-movflags", "+frag_keyframe+empty_moov")
    return whole[: atom_end(whole, "moov")]


def _cover(materials: Materials) -> bytes:
    inputs = (
        "-i",
        materials.write("clip.mp4", materials.clip),
        "-i",
        materials.write("face.png", materials.face),
    )
    tracks = ("-map", "0:a", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic")
    return materials.run_ffmpeg("c.mp4", *inputs, *tracks)


def _nested(materials: Materials) -> bytes:
    content = b""
    for _ in range(3000):
        content = box("moov", content)
    return box("ftyp", b"isom", bytes(4)) + content


def _large_box(materials: Materials) -> bytes:
    return struct.pack(">I4s", 2**32 - 1, b"moov") + materials.clip


def _index_bomb(materials: Materials) -> bytes:
    clip = bytearray(materials.clip)
    for kind in (b"stsz", b"stts", b"stsc", b"stco"):
        at = clip.index(kind) + 8 + (4 if kind == b"stsz" else 0)
        clip[at : at + 4] = b"\xff\xff\xff\xf0"
    return bytes(clip)


def _promised_index(materials: Materials) -> bytes:
    return _cmov(2**32 - 1, zlib.compress(bytes(1000)))


def _zeros_index(materials: Materials) -> bytes:
    packer, zeros = zlib.compressobj(), bytes(10_000_000)
    return _cmov(10**9, b"".join(packer.compress(zeros) for _ in range(100)) + packer.flush())


def _cmov(size: int, packed: bytes) -> bytes:
    content = box("cmov", box("dcom", b"zlib"), box("cmvd", struct.pack(">I", size), packed))
    return box("ftyp", b"qt  ", bytes(4)) + box("moov", content)


def _packed_frames(materials: Materials) -> bytes:
    """Return a file with a block compressed by Matroska itself: 300 kB that become 300 MB."""
    encoding = element(0x6D80, element(0x6240, element(0x5034, element(0x4254, b"\0"))))
    size = element(0xE0, element(0xB0, encode_number(64)), element(0xBA, encode_number(64)))
    names = element(0xD7, b"\1") + element(0x73C5, b"\1") + element(0x83, b"\1") + element(0x86, b"V_MJPEG")
    block = element(0xA3, b"\x81\0\0\x80" + zlib.compress(bytes(300_000_000), 9))
    info = element(0x1549A966, element(0x2AD7B1, encode_number(1_000_000)))
    tracks = element(0x1654AE6B, element(0xAE, names, size, encoding))
    return _matroska(info, tracks, element(0x1F43B675, element(0xE7, b"\0"), block))


def _deep_elements(materials: Materials) -> bytes:
    content = b""
    for _ in range(2000):
        content = element(0xB6, content)
    return _matroska(element(0x1043A770, element(0x45B9, content)))


def _matroska(*parts: bytes) -> bytes:
    return element(0x1A45DFA3, element(0x4282, b"matroska")) + element(0x18538067, *parts)


def _changing(materials: Materials) -> bytes:
    """Return a file half of whose frames are larger, as only the frames themselves declare."""
    pieces = [
        materials.reencode(f"{size}.h264", "-an", "-vf", f"scale={size}", "-bf", "0")
        for size in ("160:120", "320:240")
    ]
    joined = materials.write("both.h264", b"".join(pieces))
    return materials.run_ffmpeg(
        "both.mkv", "-fflags", "+genpts", "-r", "25", "-f", "h264", "-i", joined, "-c", "copy"
    )


def _turned(materials: Materials) -> bytes:
    clip = bytearray(materials.clip)
    at = clip.index(b"tkhd") + 4 + 4 + 20 + 16  # version, times and ids, reserved
    matrix = (0x12345, 0xFFFF0001, 7, 0x7FFFFFFF, 0, 1, 0x80000000, 5, 0x40000000)
    clip[at : at + 36] = struct.pack(">9I", *matrix)
    return bytes(clip)


def _polyglot(materials: Materials) -> bytes:
    page = box("free", b"%PDF-1.7\n<script>alert(1)</script>")
    return prepend(page, materials.clip) + b"PK\x05\x06" + bytes(18)
