"""ICC profiles are converted to sRGB; a broken one, and one for other colours, is ignored."""

import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from tests.support.picture_files import (
    chunk,
    gray_profile,
    ink_profile,
    jpeg,
    png,
    rgb_profile,
    saved,
    segment,
    webp,
)
from tests.unit.media.conftest import Fit

Fitted = Callable[[bytes], object]

# Colorants in XYZ adapted to D50, as in the profiles of Apple and Adobe.
DISPLAY_P3 = rgb_profile(((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)), 2.2)
ADOBE_RGB = rgb_profile(((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)), 2.2)
SWAPPED = rgb_profile(((0.2920, 0.6922, 0.0419), (0.5151, 0.2412, -0.0011), (0.1571, 0.0666, 0.7841)), 2.2)


@pytest.fixture
def fitted(fit: Fit) -> Fitted:
    """The colour in the middle of a picture after it was fitted."""
    return lambda data: fit(data, 8, 8).getpixel((4, 4))


def filled(colour: tuple[int, ...] | int, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (24, 24), colour)


# The colours by which the profiles were checked: matrices of https://www.w3.org/TR/css-color-4/#color-conversion-code
@pytest.mark.parametrize(
    ("profile", "colour", "wanted"),
    [
        (DISPLAY_P3, (128, 128, 128), (128, 128, 128)),
        (DISPLAY_P3, (234, 51, 35), (255, 0, 0)),
        (DISPLAY_P3, (100, 150, 200), (80, 152, 206)),
        (ADOBE_RGB, (219, 0, 0), (255, 0, 0)),
        (ADOBE_RGB, (144, 255, 60), (0, 255, 0)),
        (ADOBE_RGB, (128, 128, 128), (128, 128, 128)),
        (SWAPPED, (255, 0, 0), (0, 255, 0)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_of_a_wide_gamut_become_srgb(
    fitted: Fitted,
    kind: str,
    profile: bytes,
    colour: tuple[int, ...],
    wanted: tuple[int, ...],
) -> None:
    data = saved(filled(colour), kind, icc_profile=profile)
    assert fitted(data) == pytest.approx(wanted, abs=8)


def test_a_profile_in_many_segments_in_any_order_is_used(fitted: Fitted) -> None:
    parts = [SWAPPED[at : at + 100] for at in range(0, len(SWAPPED), 100)]
    segments = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, len(parts)]) + part)
        for number, part in enumerate(parts, start=1)
    ]
    data = jpeg(*reversed(segments), picture=filled((255, 0, 0)))
    assert fitted(data) == pytest.approx((0, 255, 0), abs=8)


def test_grey_with_a_gamma_becomes_srgb(fitted: Fitted) -> None:
    data = saved(filled(128, "L"), "PNG", icc_profile=gray_profile(1.0))
    assert fitted(data) == pytest.approx((188, 188, 188), abs=3)


def test_inks_become_the_colour_that_their_profile_names(fitted: Fitted) -> None:
    data = saved(filled((90, 90, 90, 90), "CMYK"), "JPEG", icc_profile=ink_profile((136, 208, 195)))
    assert fitted(data) == pytest.approx((255, 0, 0), abs=24)


def test_inks_without_a_profile_are_mixed_plainly(fitted: Fitted) -> None:
    data = saved(filled((0, 255, 255, 0), "CMYK"), "JPEG")
    assert fitted(data) == pytest.approx((255, 0, 0), abs=3)


@pytest.mark.parametrize("alpha", [0, 255])
def test_transparency_survives_the_conversion(fitted: Fitted, alpha: int) -> None:
    data = saved(filled((255, 0, 0, alpha), "RGBA"), "PNG", icc_profile=SWAPPED)
    assert fitted(data) == pytest.approx((0, 255, 0) if alpha else (255,) * 3, abs=8)


def test_a_palette_has_the_colours_of_its_profile(fitted: Fitted) -> None:
    data = saved(filled((255, 0, 0)).convert("P"), "PNG", icc_profile=SWAPPED)
    assert fitted(data) == pytest.approx((0, 255, 0), abs=8)


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        bytes(128),
        SWAPPED[:-40],
        SWAPPED[:100],
        SWAPPED.replace(b"acsp", b"....", 1),
        SWAPPED.replace(b"RGB ", b"CMYK", 1),
        SWAPPED.replace(b"mntr", b"link", 1),
        SWAPPED.replace(b"curv", b"nope"),
        SWAPPED[:128] + b"\xff" * 4 + SWAPPED[132:],
        gray_profile(1.0),
        ink_profile((136, 208, 195)),
    ],
    ids=[
        "empty",
        "zeros",
        "cut",
        "a header",
        "no mark",
        "inks",
        "a link",
        "no curves",
        "too many tags",
        "grey",
        "for inks",
    ],
)
def test_a_profile_that_cannot_be_used_is_ignored(fitted: Fitted, profile: bytes) -> None:
    picture = filled((255, 0, 0))
    packed = chunk("iCCP", b"p\0\0" + zlib.compress(profile))
    in_segment = segment(0xE2, b"ICC_PROFILE\0\x01\x01" + profile)
    for data in (
        png(packed, picture=picture),
        jpeg(in_segment, picture=picture),
        webp(("ICCP", profile), flags=0x20, picture=picture),
    ):
        assert fitted(data) == pytest.approx((255, 0, 0), abs=8)
