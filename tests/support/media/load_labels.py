"""Measure the cost of labels: `python -m tests.support.media.load_labels ROUNDS`.

The engine mock swaps a clip of 20 s in 1280 × 720, in turns on three servers: one without labels, one with
the implicit and the visible label, one with a C2PA manifest, too. Prints the seconds from the creation of a
task to its end: minimum, median and maximum.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from facecli.config.settings import Settings
from facecli.library.client import Client
from facecli.library.connect import connect
from facecli.local.server import LocalServer
from facecli.media.ffmpeg import FfmpegMedia
from tests.support.e2e.proc import processes_of
from tests.support.media.manifests import make_signed

SECONDS, WIDTH, HEIGHT = 20, 1280, 720

Figures = tuple[float, float]  # seconds, and CPU seconds


def measure(rounds: int) -> None:
    """Report after every round."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labels-")))
        media = FfmpegMedia()
        media.make_face(folder / "face.png")
        media.make_clip(folder / "clip.mp4", seconds=SECONDS, width=WIDTH, height=HEIGHT)
        (folder / "signer").mkdir()
        make_signed(folder / "signer")
        (folder / "signer" / "key.pem").chmod(0o600)
        plain = Settings(engine="mock", workers=1, log_level="warning", probe_timeout=60.0)
        signed = replace(
            plain,
            label_c2pa_cert=str(folder / "signer" / "chain.pem"),
            label_c2pa_key=str(folder / "signer" / "key.pem"),
        )
        kinds = {"off": replace(plain, label_policy="off"), "labels": plain, "labels and c2pa": signed}
        swaps = dict[str, Callable[[], Figures]]()
        for name, settings in kinds.items():
            server = stack.enter_context(LocalServer(folder / name, settings))
            client = stack.enter_context(connect(server.address, user="ann", token="", tls=False))
            files = [client.upload(folder / each).file_url for each in ("face.png", "clip.mp4")]
            swap = partial(_swap, client, folder / name / "data", *files)
            swap(end=0.5)  # the first task of a worker is slower
            swaps[name] = swap
        taken: dict[str, list[Figures]] = {name: [] for name in kinds}
        for number in range(rounds):
            for name in list(kinds) if number % 2 else reversed(kinds):
                taken[name].append(swaps[name]())
            report(taken)


def report(taken: Mapping[str, Sequence[Figures]]) -> None:
    """Print the figures of the rounds so far."""
    lines = [f"{len(taken['off'])} rounds, load average {os.getloadavg()[0]:.1f}"]
    for at, unit in enumerate(("s", "s of CPU")):
        base = statistics.median(figures[at] for figures in taken["off"])
        for name, rounds in taken.items():
            seconds = [figures[at] for figures in rounds]
            middle = statistics.median(seconds)
            shown = " / ".join(f"{each:.2f}" for each in (min(seconds), middle, max(seconds)))
            lines.append(f"{name:16} {shown} {unit}, {100 * (middle / base - 1):+.1f} %")
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


def _swap(client: Client, data: Path, image: str, video: str, *, end: float | None = None) -> Figures:
    began, cpu = time.monotonic(), _cpu_seconds(data)
    client.tasks.wait(client.tasks.create(image, video, end=end))
    return time.monotonic() - began, _cpu_seconds(data) - cpu


def _cpu_seconds(data: Path) -> float:
    """The CPU time of the processes of a data directory, and of the programs that they have run."""
    ticks = 0
    for pid in processes_of(data):
        with suppress(OSError):
            *_, behind_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
            ticks += sum(map(int, behind_name.split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    measure(int(sys.argv[1]))
