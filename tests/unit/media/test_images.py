"""Users' pictures are decoded within limits; incomplete and foreign files are refused."""

import json
import struct
import sys
import zlib
from contextlib import nullcontext
from pathlib import Path

import pytest
from PIL import Image

from facecli.core.errors import DiskFull, MediaRefused, StorageFailed
from facecli.core.video.frames import Picture
from facecli.core.video.media import ImageInfo, MediaLimits
from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.images import read_picture
from tests.support.e2e.disks import Ballast, tmpfs
from tests.support.e2e.requirements import needs

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
ORIENTATION = 0x0112  # EXIF tag


@pytest.fixture
def thirds(tmp_path: Path) -> Path:
    """300 × 100: red, green, blue."""
    picture = Image.new("RGB", (300, 100), GREEN)
    picture.paste(RED, (0, 0, 100, 100))
    picture.paste(BLUE, (200, 0, 300, 100))
    picture.save(tmp_path / "thirds.png")
    return tmp_path / "thirds.png"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_size_and_format_are_reported(media: FfmpegMedia, thirds: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "upload"
    Image.open(thirds).save(path, format=kind)
    assert media.probe_image(path) == ImageInfo(width=300, height=100, format=kind)


def test_a_jpeg_with_more_pictures_appended_is_a_jpeg(media: FfmpegMedia, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    first, second = Image.new("RGB", (30, 20), RED), Image.new("RGB", (10, 10), BLUE)
    first.save(path, format="MPO", save_all=True, append_images=[second])
    assert media.probe_image(path) == ImageInfo(width=30, height=20, format="JPEG")


def test_a_rotated_photograph_becomes_upright(media: FfmpegMedia, thirds: Path, tmp_path: Path) -> None:
    rotated, target = tmp_path / "rotated.jpg", tmp_path / "target.png"
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the camera was held upright: turn right by 90 degrees
    Image.open(thirds).save(rotated, exif=exif, quality=95)
    assert media.probe_image(rotated) == ImageInfo(width=100, height=300, format="JPEG")
    media.fit_picture(rotated, target, width=50, height=150)
    colours = [Image.open(target).getpixel((25, y)) for y in (10, 75, 140)]
    for colour, wanted in zip(colours, (RED, GREEN, BLUE), strict=True):
        assert colour == pytest.approx(wanted, abs=10)


def test_pixels_are_upright_and_scaled_down(media: FfmpegMedia, thirds: Path, tmp_path: Path) -> None:
    rotated = tmp_path / "rotated.png"
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.open(thirds).save(rotated, exif=exif)
    picture = media.read_picture(rotated, max_side=60)
    assert (picture.width, picture.height) == (20, 60)
    assert [tuple(picture.pixels[(y * 20 + 10) * 3 :][:3]) for y in (5, 30, 55)] == [RED, GREEN, BLUE]
    as_it_is = media.read_picture(thirds, max_side=2000)
    assert (as_it_is.width, as_it_is.height) == (300, 100)
    assert as_it_is.pixels == Image.open(thirds).tobytes()


def test_pixels_of_a_truncated_picture_are_refused(media: FfmpegMedia, thirds: Path, tmp_path: Path) -> None:
    (tmp_path / "half").write_bytes(thirds.read_bytes()[:200])
    with pytest.raises(MediaRefused, match="cut off or damaged"):
        media.read_picture(tmp_path / "half", max_side=60)


@pytest.mark.parametrize(
    ("width", "sent", "reason"),
    [
        (2, 6 * 3, ""),
        (2, 6 * 3 - 1, "ended with exit code 0"),
        (61, 0, "a wrong size"),
        (0, 0, "a wrong size"),
        (-2, 6 * 3, "a wrong size"),
    ],
)
def test_a_decoder_must_send_the_pixels_that_it_announces(
    thirds: Path, width: int, sent: int, reason: str
) -> None:
    answer = {"width": width, "height": 3, "format": "PNG"}
    code = f"import os; os.write(1, {json.dumps(answer)!r}.encode() + b'\\n' + bytes({sent}))"
    command = [sys.executable, "-I", "-S", "-c", code]
    with pytest.raises(MediaRefused, match=reason) if reason else nullcontext():
        picture = read_picture(thirds, MediaLimits(), max_side=60, command=command)
        assert picture == Picture(width=2, height=3, pixels=bytes(18))


@pytest.mark.parametrize("size", [(60, 60), (61, 33), (2, 90), (1000, 400)])
def test_a_fitted_picture_has_the_exact_size_and_keeps_its_middle(
    media: FfmpegMedia, thirds: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    target = tmp_path / "target.png"
    media.fit_picture(thirds, target, width=size[0], height=size[1])
    with Image.open(target) as fitted:
        assert (fitted.size, fitted.mode, fitted.format) == (size, "RGB", "PNG")
        assert fitted.getpixel((size[0] // 2, size[1] // 2)) == GREEN


def test_transparency_becomes_white(media: FfmpegMedia, tmp_path: Path) -> None:
    source, target = tmp_path / "source.png", tmp_path / "target.png"
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(source)
    media.fit_picture(source, target, width=10, height=10)
    assert Image.open(target).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["I;16", "L", "P", "CMYK", "1"])
def test_every_pixel_mode_is_decoded(media: FfmpegMedia, tmp_path: Path, mode: str) -> None:
    source, target = tmp_path / "source", tmp_path / "target.png"
    grey = 0x8000 if mode == "I;16" else 0
    Image.new(mode, (40, 40), grey).save(source, format="JPEG" if mode == "CMYK" else "PNG")
    media.fit_picture(source, target, width=10, height=10)
    wanted = {"I;16": (128, 128, 128), "CMYK": (255, 255, 255)}.get(mode, (0, 0, 0))
    assert Image.open(target).getpixel((5, 5)) == pytest.approx(wanted, abs=2)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture_is_refused(media: FfmpegMedia, tmp_path: Path, kind: str, share: float) -> None:
    path, target = tmp_path / "upload", tmp_path / "target.png"
    Image.effect_noise((200, 200), 90).convert("RGB").save(path, format=kind)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaRefused, match=r"cut off or damaged|not a JPEG"):
        media.probe_image(path)
    with pytest.raises(MediaRefused):
        media.fit_picture(path, target, width=10, height=10)
    assert not target.exists()


@pytest.mark.parametrize("kind", ["GIF", "EPS", "BMP", "TIFF", "ICO", "PDF"])
def test_other_formats_are_refused_whatever_their_name(
    media: FfmpegMedia, thirds: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "upload.jpg"
    Image.open(thirds).save(path, format=kind)
    with pytest.raises(MediaRefused, match="not a JPEG, PNG or WebP"):
        media.probe_image(path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"text"]
)
def test_files_that_are_no_pictures_are_refused(media: FfmpegMedia, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(MediaRefused) as refused:
        media.probe_image(path)
    assert str(tmp_path) not in refused.value.message


def test_a_decompression_bomb_is_refused_by_its_header(media: FfmpegMedia, tmp_path: Path) -> None:
    png, jpeg = tmp_path / "bomb.png", tmp_path / "bomb.jpg"

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 13_000, 13_000, 8, 2, 0, 0, 0))
    pixels = zlib.compress(bytes(1000))
    png.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    Image.new("RGB", (64, 64)).save(jpeg)
    data = jpeg.read_bytes()
    size = data.index(b"\xff\xc0") + 5
    jpeg.write_bytes(data[:size] + struct.pack(">HH", 9000, 9000) + data[size + 4 :])
    for path in (png, jpeg):
        with pytest.raises(MediaRefused, match="more than 36000000 pixels"):
            media.probe_image(path)


def test_the_configured_limit_holds(thirds: Path) -> None:
    FfmpegMedia(limits=MediaLimits(max_pixels=30_000)).probe_image(thirds)
    with pytest.raises(MediaRefused, match="more than 29999 pixels"):
        FfmpegMedia(limits=MediaLimits(max_pixels=29_999)).probe_image(thirds)


def test_an_unexpected_failure_of_the_decoder_shows_no_traceback(
    media: FfmpegMedia, thirds: Path, tmp_path: Path
) -> None:
    with pytest.raises(MediaRefused) as refused:
        media.fit_picture(thirds, tmp_path / "target.png", width=0, height=8)
    assert refused.value.message == "the picture cannot be decoded"


def test_a_file_that_the_machine_cannot_write_is_no_fault_of_the_picture(
    media: FfmpegMedia, thirds: Path, tmp_path: Path
) -> None:
    with pytest.raises(StorageFailed, match=r"target\.png cannot be read or written: No such file"):
        media.fit_picture(thirds, tmp_path / "missing" / "target.png", width=8, height=8)


@needs("tmpfs")
def test_a_full_disk_is_no_fault_of_the_picture(media: FfmpegMedia, thirds: Path, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", size="64k") as folder:
        Ballast(folder).fill(leave=4096)
        with pytest.raises(DiskFull):
            media.fit_picture(thirds, folder / "target.png", width=1000, height=1000)
        assert not (folder / "target.png").exists()


def test_the_drawn_face_is_a_picture_of_many_colours(media: FfmpegMedia, face: Path) -> None:
    assert media.probe_image(face) == ImageInfo(width=512, height=512, format="PNG")
    colours = Image.open(face).getcolors(maxcolors=100_000)
    assert colours
    assert len([count for count, _ in colours if count > 512 * 512 / 100]) >= 4
