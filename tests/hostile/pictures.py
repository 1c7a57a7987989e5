"""Hostile pictures: broken files, decompression bombs, and other formats under a picture's name."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial

from PIL import Image

from tests.hostile.containers import png_chunk, riff_chunk
from tests.hostile.materials import HostileFile, Materials, accepted, refused

NOT_A_PICTURE = "not a JPEG, PNG or WebP"
TOO_LARGE = "more than 36000000 pixels"
CUT = "cut off or damaged|not a JPEG"
SVG = "http://www.w3.org/2000/svg"


NOISE = Image.frombytes("RGB", (96, 96), random.Random(1).randbytes(96 * 96 * 3))
OTHERS = "GIF EPS PDF TIFF BMP ICO PPM TGA SGI PCX JPEG2000 AVIF DDS ICNS"
TEXTS: dict[str, Callable[[Materials], str]] = {
    "SVG with a file": lambda materials: f'<svg xmlns="{SVG}"><image href="file://{materials.video}"/></svg>',
    "SVG with an address": lambda materials: (
        f'<svg xmlns="{SVG}"><image href="http://{materials.address}/"/></svg>'
    ),
    "SVG with an entity": lambda materials: (
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{materials.text}">]><svg>&x;</svg>'
    ),
    "PostScript that reads a file": lambda materials: f"%!PS-Adobe-3.0 EPSF-3.0\n({materials.text}) run\n",
    "MVG": lambda materials: f"push graphic-context\nimage over 0,0 0,0 'http://{materials.address}/'\n",
    "MSL": lambda materials: f'<image><read filename="{materials.text}"/></image>',
    "XBM": lambda materials: "#define x_width 9999\n#define x_height 9999\nstatic char x_bits[] = {0};",
    "a playlist": lambda materials: f"#EXTM3U\n#EXTINF:1,\n{materials.video}\n",
    "a path": lambda materials: str(materials.video),
}


def pictures() -> Iterator[HostileFile]:
    for kind in OTHERS.split():
        yield refused(f"{kind} by another name", partial(_noise, kind), NOT_A_PICTURE)
    for name, text in TEXTS.items():
        yield refused(name, partial(_text, text), NOT_A_PICTURE)
    for kind in ("JPEG", "PNG", "WEBP"):
        for share in (0.02, 0.5, 0.95):
            yield refused(f"{kind} cut at {share:.0%}", partial(_cut, kind, share), CUT)
        yield accepted(f"{kind} and a web page", partial(_with_web_page, kind))
    yield accepted("JPEG with flipped bytes", partial(_flipped, "JPEG"))
    yield refused("PNG with flipped bytes", partial(_flipped, "PNG"), CUT)
    yield refused("PNG of 13000 × 13000", lambda materials: png(13_000, 13_000, bytes(1000)), TOO_LARGE)
    yield refused("PNG of 2³¹ × 2³¹", lambda materials: png(2**31 - 1, 2**31 - 1, bytes(10)), TOO_LARGE)
    yield refused("PNG of 0 × 0", lambda materials: png(0, 0, b""), f"{CUT}|{NOT_A_PICTURE}")
    yield refused(
        "PNG of 1 × 36000000", lambda materials: png(1, 36_000_000, bytes(144_000_000)), "longer than"
    )
    yield accepted("PNG of 1 × 65535", lambda materials: png(1, 65_535, bytes(65_535 * 4)))
    yield accepted("PNG of 36 million zeros", lambda materials: png(6000, 6000, bytes(6000 * 18_001)))
    yield accepted("PNG whose pixels unpack to 400 MB", lambda materials: png(64, 64, bytes(400_000_000)))
    for kind, head in {"zTXt": b"k\0\0", "iTXt": b"k\0\1\0\0\0", "iCCP": b"k\0\0"}.items():
        yield accepted(f"PNG with a compressed bomb as its text ({kind})", partial(_text_bomb, kind, head))
    yield accepted("PNG with 3000 frames", partial(_animated, "PNG", 3000))
    yield accepted("WebP with 1000 frames", partial(_animated, "WEBP", 1000))
    yield refused("WebP of 16384 × 16384", _large_webp, TOO_LARGE)
    yield refused("JPEG of 9000 × 9000", partial(_sized_jpeg, 9000), TOO_LARGE)
    yield refused("JPEG of 6000 × 6000 in 1 kB", partial(_sized_jpeg, 6000), CUT)
    yield accepted("JPEG of 2000 scans", _many_scans)
    yield accepted("JPEG of two pictures", partial(_animated, "MPO", 2))
    for name, exif in EXIFS.items():
        yield accepted(f"JPEG whose EXIF {name}", partial(_exif_jpeg, exif))
        yield accepted(f"PNG whose EXIF {name}", partial(_exif_png, exif))
    yield accepted("16 bits of grey", lambda materials: _saved(Image.new("I;16", (96, 96), 999), "PNG"))
    yield accepted("one bit", lambda materials: _saved(Image.new("1", (96, 96)), "PNG"))
    yield accepted("inks", lambda materials: _saved(Image.new("CMYK", (96, 96)), "JPEG"))
    yield accepted("one pixel", lambda materials: png(1, 1, bytes(4)))
    yield refused("a video", lambda materials: materials.clip, NOT_A_PICTURE)


def png(width: int, height: int, pixels: bytes, *more: bytes) -> bytes:
    """Return an RGB picture, which may declare another size than `pixels` have."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(pixels, 1))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(more) + body + png_chunk(b"IEND", b"")


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, format=kind, **options)
    return target.getvalue()


def _noise(kind: str, materials: Materials) -> bytes:
    return _saved(NOISE, kind)


def _text(text: Callable[[Materials], str], materials: Materials) -> bytes:
    return text(materials).encode()


def _cut(kind: str, share: float, materials: Materials) -> bytes:
    data = _noise(kind, materials)
    return data[: int(len(data) * share)]


def _with_web_page(kind: str, materials: Materials) -> bytes:
    return _noise(kind, materials) + b"<script>alert(1)</script>"


def _flipped(kind: str, materials: Materials) -> bytes:
    data = bytearray(_noise(kind, materials))
    for at in range(len(data) // 3, len(data), 97):
        data[at] ^= 0xFF
    return bytes(data)


def _text_bomb(kind: str, head: bytes, materials: Materials) -> bytes:
    bomb = png_chunk(kind.encode(), head + zlib.compress(bytes(300_000_000), 9))
    return png(8, 8, bytes(8 * 25), bomb)


def _animated(kind: str, count: int, materials: Materials) -> bytes:
    first, *rest = (Image.new("RGB", (32, 32), (n % 256, n // 256, 0)) for n in range(count))
    return _saved(first, kind, save_all=True, append_images=rest)


def _large_webp(materials: Materials) -> bytes:
    size = b"\xff\x3f\x00" * 2
    lossless = b"\x2f" + struct.pack("<I", 0x3FFF | 0x3FFF << 14) + bytes(64)
    return riff_chunk("RIFF", b"WEBP", riff_chunk("VP8X", bytes(4) + size), riff_chunk("VP8L", lossless))


def _sized_jpeg(side: int, materials: Materials) -> bytes:
    data = _noise("JPEG", materials)
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", side, side) + data[at + 4 : 1000]


def _many_scans(materials: Materials) -> bytes:
    """Repeat the last scan two thousand times; each is decoded over the whole picture."""
    data = _saved(NOISE, "JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    return data[:scan] + data[scan:-2] * 2000 + data[-2:]


def _exif_jpeg(exif: bytes, materials: Materials) -> bytes:
    data, segment = _noise("JPEG", materials), (b"Exif\0\0" + exif)[:65_533]
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def _exif_png(exif: bytes, materials: Materials) -> bytes:
    return png(8, 8, bytes(8 * 25), png_chunk(b"eXIf", exif))


def _tiff(count: int, *entries: bytes, following: int = 0) -> bytes:
    """Return a TIFF directory that declares `count` entries."""
    head = b"MM\0*" + struct.pack(">IH", 8, count)
    return head + b"".join(entries) + struct.pack(">I", following)


EXIFS = {
    "refers to itself": _tiff(1, struct.pack(">HHII", 0x8769, 4, 1, 8), following=8),
    "promises 65535 entries": _tiff(65_535, struct.pack(">HHII", 0x9286, 7, 2**31, 8) * 5400),
    "points outside": _tiff(
        3, *(struct.pack(">HHII", tag, 2, 2**32 - 1, 2**32 - 1) for tag in (0x0112, 0x010F, 0x8825))
    ),
    "declares orientation 99": _tiff(1, struct.pack(">HHIHH", 0x0112, 3, 1, 99, 0)),
}
