"""A drawn face for demonstrations and tests, of no real person."""

from pathlib import Path

SIDE_PIXELS = 512
SKIN = (255, 64, 160)  # absent from test patterns, so that a test can find the face in a video
HAIR = (64, 16, 96)
WHITE = (255, 255, 255)


def draw_face(output: Path) -> None:
    """Write a PNG of 512 × 512 pixels."""
    from PIL import Image, ImageDraw

    scale = 2  # drawn larger and shrunk, for smooth edges
    picture = Image.new("RGB", (SIDE_PIXELS * scale, SIDE_PIXELS * scale), (255, 232, 64))
    pen = ImageDraw.Draw(picture)

    def box(x: float, y: float, width: float, height: float) -> list[float]:
        return [v * scale for v in (x - width / 2, y - height / 2, x + width / 2, y + height / 2)]

    pen.ellipse(box(256, 216, 380, 390), fill=HAIR)
    pen.ellipse(box(256, 276, 340, 400), fill=SKIN)
    pen.pieslice(box(256, 186, 350, 240), 180, 360, fill=HAIR)
    for x in (186, 326):
        pen.ellipse(box(x, 246, 80, 52), fill=WHITE)
        pen.ellipse(box(x, 246, 38, 46), fill=(24, 128, 168))
        pen.ellipse(box(x, 246, 18, 22), fill=(0, 0, 0))
        pen.arc(box(x, 222, 96, 60), 210, 330, fill=HAIR, width=9 * scale)
    pen.arc(box(256, 296, 44, 60), 30, 150, fill=(168, 24, 104), width=8 * scale)
    pen.chord(box(256, 358, 150, 110), 10, 170, fill=(160, 0, 32))
    pen.chord(box(256, 352, 126, 74), 18, 162, fill=WHITE)
    picture.resize((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.LANCZOS).save(output, format="PNG")
