"""Decodes a picture in a process of its own, where a bomb or a broken decoder harms nobody.

A script, run as `python -I picture.py PILLOW_DIR MAX_PIXELS SOURCE [TARGET WIDTH HEIGHT]`. Prints one JSON
object: `width`, `height` (upright) and `format`, or `refused`, a sentence.
"""

import json
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_SIDE = 65_535  # pixels, as JPEG has it; 36 million rows of one pixel would take 1.2 GB


class Refused(Exception):
    """The picture cannot be used; the message is for its owner."""


def main(arguments: list[str]) -> None:
    pillow, max_pixels, source, *fit = arguments
    sys.path.append(pillow)
    answer: dict[str, str | int]
    try:
        upright, kind = upright_picture(source, int(max_pixels))
        answer = {"width": upright.width, "height": upright.height, "format": kind}
        if fit:
            target, width, height = fit
            fitted(upright, int(width), int(height)).save(target, format="PNG")
    except Refused as refused:
        answer = {"refused": str(refused)}
    sys.stdout.write(json.dumps(answer) + "\n")


def upright_picture(source: str, max_pixels: int) -> "tuple[Image, str]":
    """The decoded picture, turned as its EXIF says, and its format."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=FORMATS) as picture:
            if picture.width * picture.height > max_pixels:
                raise Refused(f"the picture has more than {max_pixels} pixels")
            if max(picture.size) > MAX_SIDE:
                raise Refused(f"a side of the picture is longer than {MAX_SIDE} pixels")
            # Many phones write a JPEG with more pictures behind the first.
            kind = "JPEG" if picture.format == "MPO" else str(picture.format)
            return ImageOps.exif_transpose(picture), kind
    except UnidentifiedImageError:
        raise Refused("the file is not a JPEG, PNG or WebP picture") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused(f"the picture has more than {max_pixels} pixels") from None
    except MemoryError:
        raise Refused("the picture needs too much memory") from None
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError) as error:
        raise Refused(f"the picture is cut off or damaged ({error})") from error


def fitted(picture: "Image", width: int, height: int) -> "Image":
    """Exactly this size in RGB, its middle kept, on white where it is transparent."""
    from PIL import Image, ImageOps

    if picture.mode.startswith("I"):  # 16 bits, which `convert` would clip
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    small = ImageOps.fit(picture.convert("RGBA"), (width, height), Image.Resampling.LANCZOS)
    white = Image.new("RGBA", small.size, "white")
    return Image.alpha_composite(white, small).convert("RGB")


if __name__ == "__main__":
    main(sys.argv[1:])
