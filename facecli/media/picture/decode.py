"""Decode a picture in a sandboxed process, where a decompression bomb or a broken decoder does no harm.

A script, run as `python -I decode.py PILLOW_DIR MAX_PIXELS FORMATS NAMES SOURCE [TARGET WIDTH HEIGHT |
MAX_SIDE]`: FORMATS are Pillow's names of the allowed formats, with commas, and NAMES is the same list for
people. It prints one JSON object: `width`, `height` (upright) and `format` (Pillow's name), or `refused`, a
sentence, or `errno` of a file that the machine could not read or write, or `bug`, a stack trace for the log.
With TARGET it writes a PNG of that size. With MAX_SIDE it scales the picture down to that side, prints this
size, and after the line the pixels: RGB in sRGB, row by row.
"""

import errno
import io
import json
import sys
import traceback
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO

if __name__ == "__main__":
    # The sandbox shows this process no file of facecli but those beside this one.
    for name in ("facecli", "facecli.media", "facecli.media.picture"):
        sys.modules[name] = ModuleType(name)
    sys.modules["facecli.media.picture"].__path__ = [str(Path(__file__).parent)]

from facecli.media.picture import jpeg, png, webp
from facecli.media.picture.colours import plain, to_srgb
from facecli.media.picture.content import Content, ContentFile
from facecli.media.picture.orientation import orientation

if TYPE_CHECKING:
    from PIL.Image import Image

BUFFER = 64 * 1024  # bytes that the decoder reads ahead
MAX_TEXT = 300  # characters; the reader of the answer takes lines of 2000 bytes
MAX_SIDE = 65_535  # pixels, the limit of JPEG; 36 million rows of one pixel would take 1.2 GB
WALKERS = {jpeg.MAGIC: jpeg.read, png.MAGIC: png.read, webp.MAGIC: webp.read}


class Refused(Exception):
    """The picture cannot be used; the message is for its owner."""


def main(arguments: list[str]) -> None:
    pillow, max_pixels, formats, names, source, *wanted = arguments
    sys.path.append(pillow)
    answer: dict[str, str | int]
    pixels = b""
    try:
        picture, kind, content = open_upright(
            source, int(max_pixels), formats=formats.split(","), names=names
        )
        if len(wanted) == 1:
            picture = shrunk_to(picture, int(wanted[0]), profile=content.icc)
            pixels = picture.tobytes()
        answer = {"width": picture.width, "height": picture.height, "format": kind}
        if len(wanted) == 3:
            target, width, height = wanted
            fit_to(picture, int(width), int(height), profile=content.icc).save(target, format="PNG")
    except Refused as refused:
        answer = {"refused": str(refused)[:MAX_TEXT]}
    except MemoryError:
        answer = {"refused": "the picture needs too much memory"}
    except OSError as error:
        answer = {"errno": error.errno or errno.EIO}
    except Exception:
        answer = {"bug": traceback.format_exc(limit=-3)[-MAX_TEXT:]}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    sys.stdout.buffer.write(pixels)


def open_upright(
    source: str, max_pixels: int, *, formats: list[str], names: str
) -> "tuple[Image, str, Content]":
    """Return the decoded picture, rotated as its metadata requires, its format and its metadata."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Path(source).open("rb") as file:
            content = content_of(file, Path(source).stat().st_size)
            readable = io.BufferedReader(ContentFile(file, content), BUFFER)
            with Image.open(readable, formats=formats) as picture:
                if picture.width * picture.height > max_pixels:
                    raise Refused(f"the picture has more than {max_pixels} pixels")
                if max(picture.size) > MAX_SIDE:
                    raise Refused(f"a side of the picture is longer than {MAX_SIDE} pixels")
                picture.load()
                return _upright(picture, content), str(picture.format), content
    except UnidentifiedImageError:
        raise Refused(f"the file is not a {names} picture") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused(f"the picture has more than {max_pixels} pixels") from None
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError) as error:
        if isinstance(error, OSError) and error.errno:  # of the machine; those of Pillow have no number
            raise
        raise Refused(f"the picture is cut off or damaged ({error})") from error


def content_of(file: BinaryIO, size: int) -> Content:
    """Return the parts of a file in a container that we know, or all of it."""
    head = file.read(12)
    for magic, read in WALKERS.items():
        if head.startswith(magic):
            return read(file, size)
    content = Content()
    content.keep(0, size)
    return content


def fit_to(picture: "Image", width: int, height: int, *, profile: bytes) -> "Image":
    """Return the picture in exactly this size in sRGB, cropped around its middle, transparency on white."""
    from PIL import Image, ImageOps

    return _on_white(ImageOps.fit(plain(picture), (width, height), Image.Resampling.LANCZOS), profile)


def shrunk_to(picture: "Image", max_side: int, *, profile: bytes) -> "Image":
    """Return the picture with a longer side of at most `max_side` in sRGB, transparency on white."""
    from PIL import Image

    small = plain(picture)
    scale = min(1.0, max_side / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return _on_white(small if scale == 1 else small.resize(size, Image.Resampling.LANCZOS), profile)


def _on_white(picture: "Image", profile: bytes) -> "Image":
    from PIL import Image

    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, to_srgb(picture, profile)).convert("RGB")


def _upright(picture: "Image", content: Content) -> "Image":
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(orientation(exif=content.exif, xmp=content.xmp))
    return picture if turn is None else picture.transpose(turn)


if __name__ == "__main__":
    main(sys.argv[1:])
