"""Draw .github/terminal.svg from a real run: python .github/terminal.py (needs the dev extra)."""

import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

WIDTH, HEIGHT = 100, 24
HALF_DONE = r"task \w+ .* [4-7]\d% "
PICTURE = Path(__file__).with_suffix(".svg")
COMMAND = "facecli demo --keep demo"


def main() -> None:
    screen = pyte.Screen(WIDTH, HEIGHT)
    middle: list[Text] = []
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as folder:
        python = shutil.which("python3", path=str(Path(sys.executable).parent))
        run = pexpect.spawn(
            f"{python} -m facecli {COMMAND.removeprefix('facecli ')}",
            cwd=folder,
            dimensions=(HEIGHT, WIDTH),
            timeout=300,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        while True:
            try:
                stream.feed(run.read_nonblocking(4096))
                if not middle and any(re.search(HALF_DONE, line) for line in screen.display):
                    middle = _lines(screen)
            except pexpect.EOF:
                break
        run.close()
    if run.exitstatus:
        sys.exit(f"{COMMAND} ended with {run.exitstatus}:\n" + "\n".join(screen.display))
    PICTURE.write_text(_svg(middle, _lines(screen)))


def _svg(middle: list[Text], end: list[Text]) -> str:
    """The rows in the middle of the work, and the whole screen at the end."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor")
    console.print(Text(f"$ {COMMAND}", style="bold"))
    for line in [*middle, Text("⋮", style="dim"), *end[2:]]:
        console.print(line, no_wrap=True)
    svg = console.export_svg(title="facecli")
    # Without the fonts that rich links to, the picture loads nothing from the network.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def _lines(screen: pyte.Screen) -> list[Text]:
    return [line for number in range(HEIGHT) if (line := _line(screen, number))]


def _line(screen: pyte.Screen, number: int) -> Text | None:
    cells = [screen.buffer[number][column] for column in range(WIDTH)]
    line = Text()
    for cell in cells:
        line.append(cell.data, Style(color=_color(cell.fg), bold=cell.bold))
    line.rstrip()
    return line or None


def _color(name: str) -> str | None:
    if name == "default":
        return None
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return name.replace("brown", "yellow").replace("bright", "bright_")


if __name__ == "__main__":
    main()
