"""Metadata never decides whether a picture is taken, and its orientation is obeyed where it is readable."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.picture.decode import MAX_TEXT, Refused
from tests.support.picture_files import (
    BLUE,
    GREEN,
    ORIENTATION,
    RED,
    SIZE,
    chunk,
    exif,
    exif_jpeg,
    jpeg,
    png,
    saved,
    segment,
    thirds,
    turned,
    webp,
)
from tests.unit.media.conftest import Fit

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
GPS, MAKER_NOTE = 0x8825, 0x927C
TEXT_FIELDS = {"make": 0x010F, "copyright": 0x8298, "date": 0x0132, "comment": 0x9286}
NUMBER_FIELDS = {
    "width": 0x0100,
    "resolution": 0x011A,
    "thumbnail": 0x0201,
    "EXIF directory": 0x8769,
    "GPS": GPS,
}
TYPES = {
    "ASCII": 2,
    "rational": 5,
    "undefined": 7,
    "signed rational": 10,
    "double": 12,
    "type 0": 0,
    "type 999": 999,
}


def upright() -> Iterator[tuple[str, bytes]]:
    """Pictures whose metadata is odd, and that are to be shown as they are."""
    yield "EXIF that is no TIFF", exif_jpeg(b"nonsense")
    yield "EXIF that ends in its header", exif_jpeg(b"MM\0*")
    yield "an empty EXIF segment", jpeg(segment(0xE1, b"Exif\0\0"))
    yield "a directory beyond the end", exif_jpeg(b"MM\0*" + struct.pack(">I", 2**32 - 1))
    yield "a directory of 65535 fields", exif_jpeg(b"MM\0*" + struct.pack(">IH", 8, 65_535))
    yield "orientation 0", exif_jpeg(exif(turned(0)))
    yield "orientation 9", exif_jpeg(exif(turned(9)))
    yield "orientation as a word", exif_jpeg(exif((ORIENTATION, 2, 5, b"left\0")))
    yield "a rational orientation beyond the end", exif_jpeg(exif((ORIENTATION, 5, 1, b"\xff\xff\xff\xff")))
    yield "an orientation that divides by 0", exif_jpeg(exif((ORIENTATION, 5, 1, struct.pack(">II", 6, 0))))
    yield "an endless orientation", exif_jpeg(exif((ORIENTATION, 11, 1, struct.pack(">f", float("inf")))))
    yield "a JFIF segment cut short", jpeg(segment(0xE0, b"JFIF\0"))
    yield "an Adobe segment cut short", jpeg(segment(0xEE, b"Adobe"))
    yield "an empty comment", jpeg(segment(0xFE, b""))
    yield "200 long comments", jpeg(*[segment(0xFE, bytes(65_000))] * 200)
    yield "a segment of length 0", jpeg(b"\xff\xe5\0\0")
    yield "a broken Photoshop segment", jpeg(segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\xff"))
    yield (
        "IPTC that promises more",
        jpeg(segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\x7f\xff\xff\xff\x1c\x02")),
    )
    yield "a broken list of pictures", jpeg(segment(0xE2, b"MPF\0MM\0*" + struct.pack(">I", 9999)))
    yield "XMP that is no XML", jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<<<\xff\xfe"))
    yield "filling between segments", jpeg(b"\xff\xff\xff", segment(0xFE, b"x"), b"\xff\xff")
    yield "a bare marker", jpeg(b"\xff\xd0", b"\xff\x01")
    yield "a part of a profile", jpeg(segment(0xE2, b"ICC_PROFILE\0\x02\x07nothing"))
    yield "a profile of nonsense", jpeg(segment(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(200)))
    yield "a JPEG thumbnail with its own scans", exif_jpeg(exif() + jpeg())
    yield (
        "an MPO",
        saved(thirds(), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))], subsampling=0),
    )
    yield (
        "PNG text that unpacks to 300 MB",
        png(chunk("zTXt", b"k\0\0" + zlib.compress(bytes(300_000_000), 9))),
    )
    yield "PNG text that is not compressed", png(chunk("zTXt", b"k\0\0nonsense"))
    yield "PNG text without a key", png(chunk("tEXt", b""), chunk("iTXt", b""), chunk("zTXt", b""))
    yield "PNG text of 20 MB", png(chunk("tEXt", b"Comment\0" + b"x" * 20_000_000))
    yield "PNG text with a wrong checksum", png(chunk("tEXt", b"k\0v")[:-4] + b"oops")
    yield "a PNG profile of nonsense", png(chunk("iCCP", b"p\0\0" + zlib.compress(bytes(3000))))
    yield "a PNG profile that is cut off", png(chunk("iCCP", b"p\0\0" + zlib.compress(bytes(3000))[:9]))
    yield (
        "a PNG profile that unpacks to 300 MB",
        png(chunk("iCCP", b"p\0\0" + zlib.compress(bytes(300_000_000), 9))),
    )
    yield (
        "short PNG chunks",
        png(*(chunk(kind, b"\1") for kind in ("gAMA", "cHRM", "sRGB", "pHYs", "tIME", "bKGD"))),
    )
    yield "a tRNS of the wrong length", png(chunk("tRNS", b"\1"))
    yield "a PNG with 2000 private chunks", png(*[chunk("prVt", b"x")] * 2000)
    yield "an APNG", saved(thirds(), "PNG", save_all=True, append_images=[thirds()])
    yield "an animation header of nonsense", png(chunk("acTL", b"\xff"), chunk("fcTL", b"\xff" * 3))
    yield "a PNG cut off in a text behind the pixels", png()[:-12] + chunk("tEXt", b"k\0" + bytes(99))[:-50]
    yield "a WebP that announces EXIF and has none", webp(flags=0x2C)
    yield (
        "WebP metadata of nonsense",
        webp(("EXIF", b"\xff"), ("XMP ", b"<"), ("ICCP", b"x" * 200), flags=0x2C),
    )
    yield "a WebP with unknown chunks", webp(("ABCD", b"x"), ("ABCD", b""))
    yield "a palette with transparency", saved(thirds("P"), "PNG", transparency=bytes([255] * 256))
    yield "a palette in WebP", saved(thirds("P"), "WEBP")


def to_be_turned() -> Iterator[tuple[str, bytes]]:
    """Pictures that are to be turned right, and say so in an odd place or beside odd fields."""
    yield "little-endian EXIF", exif_jpeg(exif(turned(6, order="<"), order="<"))
    for name, kind, value in (
        ("a byte", 1, b"\6"),
        ("a long", 4, struct.pack(">I", 6)),
        ("a signed short", 8, struct.pack(">h", 6)),
        ("text", 2, b"6\0"),
        ("a rational", 5, struct.pack(">II", 12, 2)),
        ("a float", 11, struct.pack(">f", 6)),
        ("a double", 12, struct.pack(">d", 6)),
    ):
        yield f"the orientation as {name}", exif_jpeg(exif((ORIENTATION, kind, 1, value)))
    yield "a second orientation after a broken one", exif_jpeg(exif(turned(77), turned(6)))
    yield "a PNG with eXIf", png(chunk("eXIf", exif(turned())))
    yield "a PNG with eXIf behind the pixels", png()[:-12] + chunk("eXIf", exif(turned())) + png()[-12:]
    raw = b"\nexif\n  8\n" + exif(turned()).hex().encode()
    yield "a PNG of ImageMagick", png(chunk("zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)))
    yield "a WebP with EXIF", webp(("EXIF", exif(turned())), flags=0x08)
    yield "a WebP with EXIF that it does not announce", webp(("EXIF", b"Exif\0\0" + exif(turned())))
    yield "XMP in a JPEG", jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP))
    yield "XMP in a PNG", png(chunk("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    yield "XMP in a WebP", webp(("XMP ", XMP), flags=0x04)
    yield (
        "EXIF that XMP contradicts",
        jpeg(
            segment(0xE1, b"Exif\0\0" + exif(turned())),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP.replace(b'"6"', b'"3"')),
        ),
    )
    loop = exif(turned(), (0x8769, 4, 1, struct.pack(">I", 8)))
    yield "a directory that contains itself", exif_jpeg(loop)
    yield "a field of 4 GB", exif_jpeg(exif(turned(), (MAKER_NOTE, 7, 2**32 - 1, b"\xff\xff\xff\xff")))
    for field, tag in {**TEXT_FIELDS, **NUMBER_FIELDS}.items():
        for name, kind in TYPES.items():
            fields = sorted([turned(), (tag, kind, 3, b"\xff" * 24)])
            yield f"{field} as {name}", exif_jpeg(exif(*fields))


UPRIGHT, TURNED = dict(upright()), dict(to_be_turned())


IN_THE_SANDBOX = ("300 MB", "20 MB", "200 long comments", "EXIF that XMP contradicts")  # the others: without


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def check_thirds(picture: Image.Image, *, downwards: bool) -> None:
    assert sorted(picture.size) == [30, 90]
    at = [(15, way) if downwards else (way, 15) for way in (15, 45, 75)]
    for colour, wanted in zip(map(picture.getpixel, at), (RED, GREEN, BLUE), strict=True):
        assert colour == pytest.approx(wanted, abs=12)


@pytest.mark.parametrize("name", UPRIGHT)
def test_a_picture_with_odd_metadata_is_taken(fit: Fit, name: str) -> None:
    check_thirds(fit(UPRIGHT[name], 90, 30), downwards=False)


@pytest.mark.parametrize("name", TURNED)
def test_a_readable_orientation_is_obeyed(fit: Fit, name: str) -> None:
    check_thirds(fit(TURNED[name], 30, 90), downwards=True)


@pytest.mark.parametrize(
    "name", [name for name in (*UPRIGHT, *TURNED) if any(part in name for part in IN_THE_SANDBOX)]
)
def test_long_and_contradictory_metadata_is_taken_in_the_sandbox(
    media: FfmpegMedia, upload: Path, name: str
) -> None:
    upload.write_bytes({**UPRIGHT, **TURNED}[name])
    info, target = media.probe_image(upload), upload.with_suffix(".png")
    assert (info.width, info.height) == (SIZE if name in UPRIGHT else SIZE[::-1])
    media.fit_picture(upload, target, width=info.width, height=info.height)
    check_thirds(Image.open(target), downwards=name in TURNED)


@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation_shows_the_picture_as_pillow_does(fit: Fit, value: int) -> None:
    from PIL import ImageOps

    picture = thirds()
    picture.paste((255, 255, 255), (0, 0, 30, 10))  # in one corner
    data = saved(picture, "PNG", exif=exif(turned(value)))
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    assert fit(data, wanted.width, wanted.height).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("damage", range(0, 900, 31))
def test_a_flipped_byte_is_taken_or_refused_in_one_sentence(fit: Fit, damage: int) -> None:
    data = bytearray(exif_jpeg(exif(turned(), (0x8298, 2, 20, b"somebody's copyright"))))
    data[damage % len(data)] ^= 0xFF
    try:
        fit(bytes(data), 90, 30)
    except Refused as refused:
        text = str(refused)[:MAX_TEXT]
        assert text.isprintable()
        for scrap in ("Traceback", 'File "', ".py", "line "):
            assert scrap not in text


def test_the_set_of_oddities_is_large() -> None:
    assert len(UPRIGHT) + len(TURNED) >= 100
