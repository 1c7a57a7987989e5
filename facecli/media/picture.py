"""Decode a picture in a sandboxed process, where a decompression bomb or a broken decoder does no harm.

A script, run as `python -I picture.py PILLOW_DIR MAX_PIXELS FORMATS NAMES SOURCE [TARGET WIDTH HEIGHT]`:
FORMATS are Pillow's names of the allowed formats, with commas, and NAMES is the same list for people. It
prints one JSON object: `width`, `height` (upright) and `format` (Pillow's name), or `refused`, a sentence.
"""

import json
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 65_535  # pixels, the limit of JPEG; 36 million rows of one pixel would take 1.2 GB


class Refused(Exception):
    """The picture cannot be used; the message is for its owner."""


def main(arguments: list[str]) -> None:
    pillow, max_pixels, formats, names, source, *fit = arguments
    sys.path.append(pillow)
    answer: dict[str, str | int]
    try:
        upright, kind = open_upright(source, int(max_pixels), formats=formats.split(","), names=names)
        answer = {"width": upright.width, "height": upright.height, "format": kind}
        if fit:
            target, width, height = fit
            fit_to(upright, int(width), int(height)).save(target, format="PNG")
    except Refused as refused:
        answer = {"refused": str(refused)}
    sys.stdout.write(json.dumps(answer) + "\n")


def open_upright(source: str, max_pixels: int, *, formats: list[str], names: str) -> "tuple[Image, str]":
    """Return the decoded picture, rotated as its EXIF data requires, and its format."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=formats) as picture:
            if picture.width * picture.height > max_pixels:
                raise Refused(f"the picture has more than {max_pixels} pixels")
            if max(picture.size) > MAX_SIDE:
                raise Refused(f"a side of the picture is longer than {MAX_SIDE} pixels")
            # Many phones append further pictures to a JPEG.
            kind = "JPEG" if picture.format == "MPO" else str(picture.format)
            return ImageOps.exif_transpose(picture), kind
    except UnidentifiedImageError:
        raise Refused(f"the file is not a {names} picture") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused(f"the picture has more than {max_pixels} pixels") from None
    except MemoryError:
        raise Refused("the picture needs too much memory") from None
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError) as error:
        raise Refused(f"the picture is cut off or damaged ({error})") from error


def fit_to(picture: "Image", width: int, height: int) -> "Image":
    """Return the picture in exactly this size in RGB, cropped around its middle, transparency on white."""
    from PIL import Image, ImageOps

    if picture.mode.startswith("I"):  # 16 bits, which `convert` alone would clip
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    small = ImageOps.fit(picture.convert("RGBA"), (width, height), Image.Resampling.LANCZOS)
    white = Image.new("RGBA", small.size, "white")
    return Image.alpha_composite(white, small).convert("RGB")


if __name__ == "__main__":
    main(sys.argv[1:])
