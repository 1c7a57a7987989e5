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
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from facecli.config.settings import Settings
from facecli.library.client import Client
from facecli.library.connect import connect
from facecli.local.server import LocalServer
from facecli.media.ffmpeg import FfmpegMedia
from tests.support.media.manifests import make_signed

SECONDS, WIDTH, HEIGHT = 20, 1280, 720


def measure(rounds: int) -> dict[str, list[float]]:
    """The seconds of each round, by the labels."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labels-")))
        media = FfmpegMedia()
        media.make_face(folder / "face.png")
        media.make_clip(folder / "clip.mp4", seconds=SECONDS, width=WIDTH, height=HEIGHT)
        (folder / "signer").mkdir()
        make_signed(folder / "signer")
        (folder / "signer" / "key.pem").chmod(0o600)
        plain = Settings(engine="mock", workers=1, durability="process", log_level="warning")
        signed = replace(
            plain,
            label_c2pa_cert=str(folder / "signer" / "chain.pem"),
            label_c2pa_key=str(folder / "signer" / "key.pem"),
        )
        kinds = {"off": replace(plain, label_policy="off"), "labels": plain, "labels and c2pa": signed}
        inputs = dict[str, tuple[Client, str, str]]()
        for name, settings in kinds.items():
            server = stack.enter_context(LocalServer(folder / name, settings))
            client = stack.enter_context(connect(server.address, user="ann", token="", tls=False))
            files = [client.upload(folder / each).file_url for each in ("face.png", "clip.mp4")]
            inputs[name] = (client, files[0], files[1])
            _swap(*inputs[name], end=0.5)  # the first task of a worker is slower
        taken: dict[str, list[float]] = {name: [] for name in kinds}
        for number in range(rounds):
            for name in list(kinds) if number % 2 else reversed(kinds):
                taken[name].append(_swap(*inputs[name]))
            report(taken)
        return taken


def report(taken: Mapping[str, Sequence[float]]) -> None:
    """Print the figures of the rounds so far."""
    base = statistics.median(taken["off"])
    lines = [f"{len(taken['off'])} rounds, load average {os.getloadavg()[0]:.1f}"]
    for name, seconds in taken.items():
        middle = statistics.median(seconds)
        figures = " / ".join(f"{each:.2f}" for each in (min(seconds), middle, max(seconds)))
        lines.append(f"{name:16} {figures} s, {100 * (middle / base - 1):+.1f} %")
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


def _swap(client: Client, image: str, video: str, *, end: float | None = None) -> float:
    began = time.monotonic()
    client.tasks.wait(client.tasks.create(image, video, end=end))
    return time.monotonic() - began


if __name__ == "__main__":
    measure(int(sys.argv[1]))
