"""Valid MOV and Matroska containers that refer to other files."""

import struct
from collections.abc import Iterator
from functools import partial

from tests.hostile.containers import atom_end, box, element, full_box, prepend
from tests.hostile.materials import HostileFile, Materials, accepted, refused
from tests.hostile.playlists import NOT_A_VIDEO

SEGMENT, INFO = 0x18538067, 0x1549A966
CHAPTERS, EDITION, ATOM = 0x1043A770, 0x45B9, 0xB6
ATTACHMENTS, ATTACHED = 0x1941A469, 0x61A7


def references() -> Iterator[HostileFile]:
    for kind in ("url ", "alis", "rsrc"):
        name = f"MOV whose data lies elsewhere ({kind.strip()})"
        yield refused(name, partial(_elsewhere, kind), "cannot be decoded|damaged|cut off")
    yield refused("MOV that is a reference alone", _reference_movie, "no video")
    yield accepted("MKV with a segment before and after it", _linked)
    yield accepted("MKV with chapters of another file", _chapters)
    yield accepted("MKV with a font and a playlist attached", _attached)
    yield accepted("MKV with subtitles that name a file", _subtitled)
    yield accepted("MP4 with a title that is a protocol", _titled)
    yield refused("MKV whose frames are a playlist", _framed, "cannot be decoded|damaged")
    yield accepted(
        "MP4 in front of a playlist", lambda materials: materials.clip + b"\n#EXTM3U\n/etc/passwd\n"
    )
    yield accepted("MP4 behind a playlist in a box", _boxed)
    yield refused("a reference box alone", lambda materials: full_box("dref", bytes(4)), NOT_A_VIDEO)


def _elsewhere(kind: str, materials: Materials) -> bytes:
    """Return the victim's index, whose samples are in the victim, with zeros in place of its data."""
    clip = materials.run_ffmpeg("bare.mov", "-i", str(materials.video), "-c", "copy")
    data, end = clip.index(b"mdat") + 4, atom_end(clip, "mdat")
    clip = clip[:data] + bytes(end - data) + clip[end:]
    begin = clip.index(b"dref") - 4
    size = struct.unpack_from(">I", clip, begin)[0]
    path = str(materials.video).encode()
    entry = (
        full_box(kind, f"file://{materials.video}".encode() + b"\0")
        if kind == "url "
        else full_box(kind, _alias(path))
    )
    other = full_box("dref", struct.pack(">I", 1), entry)
    return _replaced(clip, begin, begin + size, other)


def _boxed(materials: Materials) -> bytes:
    return prepend(box("free", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), materials.clip)


def _alias(path: bytes) -> bytes:
    """Return a Macintosh alias record: volume, folder, name, and as item 18 the path that ffmpeg reads."""
    name = path.rsplit(b"/", 1)[-1]
    head = bytes(10) + bytes([0]) + bytes(27) + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0")
    head += bytes(16) + struct.pack(">hh", 0, 0) + bytes(16)
    item = struct.pack(">HH", 18, len(path)) + path + bytes(len(path) % 2)
    return head + item + struct.pack(">hH", -1, 0)


def _replaced(mp4: bytes, begin: int, end: int, new: bytes) -> bytes:
    """Replace a box and adjust the size of its parents; media data precede the index, so offsets stay."""
    grown, data = len(new) - (end - begin), bytearray(mp4)
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        at = mp4.rindex(kind, 0, begin) - 4
        data[at : at + 4] = struct.pack(">I", struct.unpack_from(">I", data, at)[0] + grown)
    return bytes(data[:begin]) + new + bytes(data[end:])


def _reference_movie(materials: Materials) -> bytes:
    where = box(
        "rdrf", bytes(4), b"url ", struct.pack(">I", 99), f"file://{materials.video}".encode() + b"\0"
    )
    return box("ftyp", b"qt  ", bytes(4), b"qt  ") + box("moov", box("rmra", box("rmda", where)))


def _with_elements(materials: Materials, *more: bytes) -> bytes:
    """Return a valid Matroska file with elements added to its segment, whose size becomes unknown."""
    mkv = materials.reencode("plain.mkv", "-c", "copy")
    begin = mkv.index(SEGMENT.to_bytes(4, "big")) + 4
    return mkv[:begin] + b"\x01" + b"\xff" * 7 + mkv[begin + 8 :] + b"".join(more)


def _linked(materials: Materials) -> bytes:
    path = str(materials.video).encode()
    names = [element(number, path) for number in (0x7384, 0x3C83AB, 0x3E83BB)]
    identities = [element(number, b"\x11" * 16) for number in (0x73A4, 0x3CB923, 0x3EB923)]
    return _with_elements(materials, element(INFO, element(0x2AD7B1, b"\x0f\x42\x40"), *names, *identities))


def _chapters(materials: Materials) -> bytes:
    atom = element(ATOM, element(0x73C4, b"\x01"), element(0x91, b"\0"), element(0x6E67, b"\x22" * 16))
    edition = element(EDITION, element(0x45DD, b"\x01"), atom)
    return _with_elements(materials, element(CHAPTERS, edition))


def _attached(materials: Materials) -> bytes:
    files = [
        element(
            ATTACHED,
            element(0x466E, name),
            element(0x4660, kind),
            element(0x465C, str(materials.video).encode()),
            element(0x46AE, b"\x01"),
        )
        for name, kind in (
            (b"../../../../tmp/evil.ttf", b"application/x-truetype-font"),
            (b"list.m3u8", b"application/x-mpegurl"),
        )
    ]
    return _with_elements(materials, element(ATTACHMENTS, *files))


def _subtitled(materials: Materials) -> bytes:
    subtitles = f"1\n00:00:00,000 --> 00:00:01,000\n{{\\1img({materials.video})}}\n"
    tracks = ("-map", "0", "-map", "1", "-c:v", "copy", "-c:s", "ass")
    return materials.reencode(
        "subtitled.mkv", "-i", materials.write("words.srt", subtitles.encode()), *tracks
    )


def _titled(materials: Materials) -> bytes:
    title = f"concat:{materials.video}|http://{materials.address}/"
    return materials.reencode("titled.mp4", "-metadata", f"title={title}", "-metadata", f"comment={title}")


def _framed(materials: Materials) -> bytes:
    """Return a file with H.264 in its header and text in its frames."""
    mkv = materials.reencode("plain.mkv", "-an", "-c", "copy")
    text = f"#EXTM3U\n#EXTINF:1,\nhttp://{materials.address}/\n".encode()
    begin = mkv.index(b"\xa3", mkv.index(b"\x1f\x43\xb6\x75"))
    return mkv[: begin + 12] + (text * (1 + len(mkv) // len(text)))[: len(mkv) - begin - 12]
