"""Draw .github/swap.jpg, the photo and three frames before and after: python .github/swap.py DIR.

DIR is what `facecli demo --keep DIR` has left. The portraits are in the public domain.
"""

import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageOps

from facecli.media.find import find_ffmpeg

SECONDS = (0.4, 1.5, 2.6)
WIDTH, HEIGHT = 360, 204  # of one frame
GAP = 6
PICTURE = Path(__file__).with_suffix(".jpg")


def main(folder: Path) -> None:
    photo = ImageOps.fit(Image.open(folder / "face.jpg"), (2 * HEIGHT * 3 // 4, 2 * HEIGHT + GAP))
    left = photo.width + GAP
    sheet = Image.new("RGB", (left + (WIDTH + GAP) * len(SECONDS) - GAP, photo.height), "white")
    sheet.paste(photo, (0, 0))
    for column, second in enumerate(SECONDS):
        for row, name in enumerate(("clip.mp4", "result.mp4")):
            place = (left + column * (WIDTH + GAP), row * (HEIGHT + GAP))
            sheet.paste(frame(folder / name, second), place)
    sheet.save(PICTURE, quality=88)


def frame(video: Path, second: float) -> Image.Image:
    size = ["-vf", f"scale={WIDTH}:{HEIGHT}:flags=lanczos", "-frames:v", "1"]
    raw = [*size, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    command = [str(find_ffmpeg()), "-v", "error", "-ss", str(second), "-i", str(video), *raw]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    return Image.frombytes("RGB", (WIDTH, HEIGHT), data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
