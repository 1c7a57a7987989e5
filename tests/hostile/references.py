"""Good containers that name other files: MOV and Matroska can."""

import struct
from collections.abc import Iterator
from functools import partial

from tests.hostile.containers import atom_end, box, element, full, in_front
from tests.hostile.materials import Hostile, Site, refused, taken
from tests.hostile.playlists import NOT_A_VIDEO

SEGMENT, INFO = 0x18538067, 0x1549A966
CHAPTERS, EDITION, ATOM = 0x1043A770, 0x45B9, 0xB6
ATTACHMENTS, ATTACHED = 0x1941A469, 0x61A7


def references() -> Iterator[Hostile]:
    for kind in ("url ", "alis", "rsrc"):
        name = f"MOV whose data lies elsewhere ({kind.strip()})"
        yield refused(name, partial(_elsewhere, kind), "cannot be decoded|damaged|cut off")
    yield refused("MOV that is a reference alone", _reference_movie, "no video")
    yield taken("MKV with a segment before and after it", _linked)
    yield taken("MKV with chapters of another file", _chapters)
    yield taken("MKV with a font and a playlist attached", _attached)
    yield taken("MKV with subtitles that name a file", _subtitled)
    yield taken("MP4 with a title that is a protocol", _titled)
    yield refused("MKV whose frames are a playlist", _framed, "cannot be decoded|damaged")
    yield taken("MP4 in front of a playlist", lambda site: site.clip + b"\n#EXTM3U\n/etc/passwd\n")
    yield taken("MP4 behind a playlist in a box", _boxed)
    yield refused("a reference box alone", lambda site: full("dref", bytes(4)), NOT_A_VIDEO)


def _elsewhere(kind: str, site: Site) -> bytes:
    """The victim's index, whose samples lie in the victim: in the file itself are zeros at their places."""
    clip = site.made("bare.mov", "-i", str(site.video), "-c", "copy")
    data, end = clip.index(b"mdat") + 4, atom_end(clip, "mdat")
    clip = clip[:data] + bytes(end - data) + clip[end:]
    begin = clip.index(b"dref") - 4
    size = struct.unpack_from(">I", clip, begin)[0]
    path = str(site.video).encode()
    entry = (
        full(kind, f"file://{site.video}".encode() + b"\0") if kind == "url " else full(kind, _alias(path))
    )
    other = full("dref", struct.pack(">I", 1), entry)
    return _replaced(clip, begin, begin + size, other)


def _boxed(site: Site) -> bytes:
    return in_front(box("free", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), site.clip)


def _alias(path: bytes) -> bytes:
    """An alias record of a Macintosh that ffmpeg reads: volume, folder and name, and the path as item 18."""
    name = path.rsplit(b"/", 1)[-1]
    head = bytes(10) + bytes([0]) + bytes(27) + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0")
    head += bytes(16) + struct.pack(">hh", 0, 0) + bytes(16)
    item = struct.pack(">HH", 18, len(path)) + path + bytes(len(path) % 2)
    return head + item + struct.pack(">hH", -1, 0)


def _replaced(mp4: bytes, begin: int, end: int, new: bytes) -> bytes:
    """The boxes around it grow with it; media data stands before the index, so offsets stay."""
    grown, data = len(new) - (end - begin), bytearray(mp4)
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        at = mp4.rindex(kind, 0, begin) - 4
        data[at : at + 4] = struct.pack(">I", struct.unpack_from(">I", data, at)[0] + grown)
    return bytes(data[:begin]) + new + bytes(data[end:])


def _reference_movie(site: Site) -> bytes:
    where = box("rdrf", bytes(4), b"url ", struct.pack(">I", 99), f"file://{site.video}".encode() + b"\0")
    return box("ftyp", b"qt  ", bytes(4), b"qt  ") + box("moov", box("rmra", box("rmda", where)))


def _with_elements(site: Site, *more: bytes) -> bytes:
    """A good Matroska file with elements at the end of its segment, which has no known size."""
    mkv = site.remade("plain.mkv", "-c", "copy")
    begin = mkv.index(SEGMENT.to_bytes(4, "big")) + 4
    return mkv[:begin] + b"\x01" + b"\xff" * 7 + mkv[begin + 8 :] + b"".join(more)


def _linked(site: Site) -> bytes:
    path = str(site.video).encode()
    names = [element(number, path) for number in (0x7384, 0x3C83AB, 0x3E83BB)]
    identities = [element(number, b"\x11" * 16) for number in (0x73A4, 0x3CB923, 0x3EB923)]
    return _with_elements(site, element(INFO, element(0x2AD7B1, b"\x0f\x42\x40"), *names, *identities))


def _chapters(site: Site) -> bytes:
    atom = element(ATOM, element(0x73C4, b"\x01"), element(0x91, b"\0"), element(0x6E67, b"\x22" * 16))
    edition = element(EDITION, element(0x45DD, b"\x01"), atom)
    return _with_elements(site, element(CHAPTERS, edition))


def _attached(site: Site) -> bytes:
    files = [
        element(
            ATTACHED,
            element(0x466E, name),
            element(0x4660, kind),
            element(0x465C, str(site.video).encode()),
            element(0x46AE, b"\x01"),
        )
        for name, kind in (
            (b"../../../../tmp/evil.ttf", b"application/x-truetype-font"),
            (b"list.m3u8", b"application/x-mpegurl"),
        )
    ]
    return _with_elements(site, element(ATTACHMENTS, *files))


def _subtitled(site: Site) -> bytes:
    words = f"1\n00:00:00,000 --> 00:00:01,000\n{{\\1img({site.video})}}\n"
    tracks = ("-map", "0", "-map", "1", "-c:v", "copy", "-c:s", "ass")
    return site.remade("subtitled.mkv", "-i", site.kept("words.srt", words.encode()), *tracks)


def _titled(site: Site) -> bytes:
    title = f"concat:{site.video}|http://{site.address}/"
    return site.remade("titled.mp4", "-metadata", f"title={title}", "-metadata", f"comment={title}")


def _framed(site: Site) -> bytes:
    """H.264 in its header, text in its frames."""
    mkv = site.remade("plain.mkv", "-an", "-c", "copy")
    text = f"#EXTM3U\n#EXTINF:1,\nhttp://{site.address}/\n".encode()
    begin = mkv.index(b"\xa3", mkv.index(b"\x1f\x43\xb6\x75"))
    return mkv[: begin + 12] + (text * (1 + len(mkv) // len(text)))[: len(mkv) - begin - 12]
