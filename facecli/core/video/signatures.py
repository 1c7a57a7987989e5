"""Recognition of a file's format by its first bytes, as far as it needs no decoder."""

from dataclasses import dataclass

from facecli.core.video.formats import FormatKind, by_family

HEAD_SIZE = 4096  # bytes to read

_MOV_BOXES = frozenset(
    {b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"pnot", b"uuid", b"styp", b"sidx"}
)
_PICTURE_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
_TS_STRIDES = (188, 192, 204)  # bytes of a packet: plain, with a timestamp (M2TS), with error correction
_TS_SYNC = b"\x47"
_TS_PACKETS = 8  # sync bytes in a row that random data does not have


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A recognised format; `family` is as in the table of formats. `kind` is None for sound and documents."""

    family: str
    kind: FormatKind | None

    @property
    def supported(self) -> bool:
        return bool(by_family(self.family))


_FIXED = (
    (b"\xff\xd8\xff", Signature(family="JPEG", kind=FormatKind.IMAGE)),
    (b"\x89PNG\r\n\x1a\n", Signature(family="PNG", kind=FormatKind.IMAGE)),
    (b"\x1a\x45\xdf\xa3", Signature(family="Matroska", kind=FormatKind.VIDEO)),
    (b"GIF8", Signature(family="GIF", kind=FormatKind.IMAGE)),
    (b"BM", Signature(family="BMP", kind=FormatKind.IMAGE)),
    (b"II*\0", Signature(family="TIFF", kind=FormatKind.IMAGE)),
    (b"MM\0*", Signature(family="TIFF", kind=FormatKind.IMAGE)),
    (b"8BPS", Signature(family="PSD", kind=FormatKind.IMAGE)),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Signature(family="JPEG XL", kind=FormatKind.IMAGE)),
    (b"FLV\1", Signature(family="FLV", kind=FormatKind.VIDEO)),
    (b"\0\0\1\xba", Signature(family="MPEG-PS", kind=FormatKind.VIDEO)),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Signature(family="WMV", kind=FormatKind.VIDEO)),
    (b"%PDF-", Signature(family="PDF", kind=None)),
    (b"PK\3\4", Signature(family="ZIP", kind=None)),
    (b"ID3", Signature(family="MP3", kind=None)),
    (b"fLaC", Signature(family="FLAC", kind=None)),
    (b"OggS", Signature(family="Ogg", kind=None)),
)
_RIFF = {
    b"WEBP": Signature(family="WEBP", kind=FormatKind.IMAGE),
    b"AVI ": Signature(family="AVI", kind=FormatKind.VIDEO),
    b"WAVE": Signature(family="WAV", kind=None),
}


def signature(head: bytes) -> Signature | None:
    """The format of a file that begins with these bytes; None if they tell nothing."""
    for start, found in _FIXED:
        if head.startswith(start):
            return found
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] in _MOV_BOXES:
        if head[4:8] == b"ftyp" and (picture := _PICTURE_BRANDS.get(head[8:12])):
            return Signature(family=picture, kind=FormatKind.IMAGE)
        return Signature(family="MP4", kind=FormatKind.VIDEO)
    if _is_transport_stream(head):
        return Signature(family="MPEG-TS", kind=FormatKind.VIDEO)
    return Signature(family="text", kind=None) if _is_text(head) else None


def _is_transport_stream(head: bytes) -> bool:
    """Whether packets of a transport stream begin anywhere in the first one's length."""
    start = head.find(_TS_SYNC, 0, max(_TS_STRIDES))
    while start >= 0:
        for stride in _TS_STRIDES:
            syncs = head[start : start + stride * _TS_PACKETS : stride]
            if start < stride and syncs == _TS_SYNC * _TS_PACKETS:
                return True
        start = head.find(_TS_SYNC, start + 1, max(_TS_STRIDES))
    return False


def _is_text(head: bytes) -> bool:
    return bool(head) and all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in head) and b"\n" in head
