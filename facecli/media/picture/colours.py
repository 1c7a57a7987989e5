"""The colours of a decoded picture, converted to 8-bit sRGB by its ICC profile."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

# Modes after decoding whose pixels have a profile's colour space as they are.
_COLOUR_MODES = frozenset({"L", "RGB", "CMYK"})
_DEVICE_CLASSES = frozenset({"mntr", "scnr", "prtr", "spac"})  # not links, effects and named colours


def plain(picture: "Image") -> "Image":
    """Return the picture without a palette and with 8 bits: in L, LA, RGB, RGBA or CMYK."""
    if picture.mode.startswith("I"):  # 16 bits, which `convert` alone would clip
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        return picture.convert("LA" if picture.mode in {"1", "L", "LA"} else "RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in _COLOUR_MODES else picture.convert("RGB")


def to_srgb(picture: "Image", profile: bytes) -> "Image":
    """Return a plain picture in RGBA. A broken profile, and one for other colours, is ignored."""
    alpha = picture.getchannel("A") if picture.mode in {"LA", "RGBA"} else None
    colours = picture.convert({"LA": "L", "RGBA": "RGB"}[picture.mode]) if alpha else picture
    converted = (_converted(colours, profile) if profile else None) or colours.convert("RGB")
    result = converted.convert("RGBA")
    if alpha:
        result.putalpha(alpha)
    return result


def _converted(picture: "Image", profile: bytes) -> "Image | None":
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.device_class not in _DEVICE_CLASSES:
            return None
        target = ImageCms.createProfile("sRGB")
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        return ImageCms.profileToProfile(picture, source, target, intent, outputMode="RGB", flags=flags)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
