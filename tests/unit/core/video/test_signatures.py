"""Formats by their first bytes."""

import pytest

from facecli.core.video.formats import FormatKind
from facecli.core.video.signatures import HEAD_SIZE, signature

PACKET = b"\x47" + bytes(187)


def box(name: bytes, brand: bytes = b"isom") -> bytes:
    return b"\0\0\0\x18" + name + brand + bytes(100)


@pytest.mark.parametrize(
    ("head", "family", "kind"),
    [
        (b"\xff\xd8\xff\xe1Exif", "JPEG", FormatKind.IMAGE),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG", FormatKind.IMAGE),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WEBP", FormatKind.IMAGE),
        (box(b"ftyp"), "MP4", FormatKind.VIDEO),
        (box(b"ftyp", b"qt  "), "MP4", FormatKind.VIDEO),
        (box(b"wide"), "MP4", FormatKind.VIDEO),
        (b"\x1a\x45\xdf\xa3" + bytes(20), "Matroska", FormatKind.VIDEO),
        (b"RIFF\x10\0\0\0AVI LIST", "AVI", FormatKind.VIDEO),
        (PACKET * 20, "MPEG-TS", FormatKind.VIDEO),
        ((b"\0\0\0\0" + PACKET) * 20, "MPEG-TS", FormatKind.VIDEO),
        ((PACKET * 20)[77:], "MPEG-TS", FormatKind.VIDEO),
        (box(b"ftyp", b"heic"), "HEIC", FormatKind.IMAGE),
        (box(b"ftyp", b"avif"), "AVIF", FormatKind.IMAGE),
        (b"GIF89a", "GIF", FormatKind.IMAGE),
        (b"%PDF-1.7\n", "PDF", None),
        (b"RIFF\x10\0\0\0WAVEfmt ", "WAV", None),
        (b"#EXTM3U\nhttp://x/y.ts\n", "text", None),
    ],
)
def test_a_format_is_recognised(head: bytes, family: str, kind: FormatKind | None) -> None:
    found = signature(head[:HEAD_SIZE])
    assert found
    assert (found.family, found.kind) == (family, kind)


@pytest.mark.parametrize("head", [b"", b"\0" * 100, b"RIFF", b"\x47" + bytes(4000), b"one word"])
def test_bytes_that_tell_nothing_are_left_to_the_name(head: bytes) -> None:
    assert signature(head) is None


@pytest.mark.parametrize(
    ("before", "family"),
    [(b"", "MPEG-TS"), (b"\x00\x47\x00", "MPEG-TS"), (bytes(187), "MPEG-TS"), (bytes(188), None)],
)
def test_a_transport_stream_may_begin_within_the_length_of_a_packet(
    before: bytes, family: str | None
) -> None:
    found = signature(before + PACKET * 8)
    assert (found.family if found else None) == family
