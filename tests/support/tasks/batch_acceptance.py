"""Acceptance of batches with real workers, by hand: `python -m tests.support.tasks.batch_acceptance FOLDER`.

A batch of clips × faces, one of the clips broken, goes on after kill -9 of the command, then of the server;
run again, it does what is missing. With `--faces 100 --clips 10 --no-kills` it measures memory instead.
Prints one JSON object, and ends with an AssertionError if a promise does not hold.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facecli.media.ffmpeg import FfmpegMedia
from tests.support.e2e.proc import peak_memory_bytes, processes_of
from tests.support.eventually import eventually
from tests.support.sockets import free_port

FACECLI = (sys.executable, "-m", "facecli")
HOUR = 3600.0


@dataclass
class Acceptance:
    """The files of a run. The server and its workers are real."""

    folder: Path
    engine: str
    workers: int
    clips: int
    faces: int

    def __post_init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.out = self.folder / "out"
        self.peaks = Counter[str]()

    @property
    def outputs(self) -> int:
        return len(list(self.out.glob("*.mp4")))

    def make_files(self, *, broken: bool) -> None:
        media, inputs = FfmpegMedia(), self.folder / "in"
        inputs.mkdir()
        media.make_face(self.folder / "face.png")
        media.make_clip(self.folder / "clip.mp4", seconds=1, width=96, height=96)
        face, clip = ((self.folder / name).read_bytes() for name in ("face.png", "clip.mp4"))
        if self.engine == "mesh":
            shutil.copy(Path("facecli/media/samples/astronaut.png"), self.folder / "face.png")
            face = (self.folder / "face.png").read_bytes()
        for number in range(self.faces):
            (inputs / f"face-{number:03}.png").write_bytes(face + number.to_bytes(2))
        for number in range(self.clips):
            (inputs / f"clip-{number:03}.mp4").write_bytes(clip + b"\0\0\0\x10free" + number.to_bytes(8))
        if broken:
            path = inputs / "clip-007.mp4"
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    def serve(self) -> "subprocess.Popen[str]":
        command = ("serve", "--bind", self.address, "--workers", self.workers, "--engine", self.engine)
        log = (self.folder / "serve.log").open("a")
        return subprocess.Popen(
            [*FACECLI, *map(str, command), "--data-dir", str(self.folder / "data")],
            stdout=log,
            stderr=log,
            start_new_session=True,
            text=True,
        )

    def batch(self) -> "subprocess.Popen[str]":
        pattern = f"{self.out}/{{video.stem}}-{{face.stem}}.mp4"
        inputs = str(self.folder / "in")
        command = ("swap", "--face", inputs, "--video", inputs, "-o", pattern, "--json", "--progress", "none")
        return subprocess.Popen(
            [*FACECLI, *command, "--server", self.address, "--retry-for", "5m"],
            stdout=subprocess.PIPE,
            stderr=(self.folder / "batch.log").open("a"),
            text=True,
        )

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        command = [*FACECLI, *arguments, "--server", self.address, "--json", "--retry-for", "1m"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def measure(self, batch: "subprocess.Popen[str]", server: "subprocess.Popen[str]") -> None:
        found = {"client": [batch.pid], "server": [server.pid]}
        found["worker"] = [pid for pid in processes_of(self.folder / "data") if pid != server.pid]
        for name, pids in found.items():
            for pid in pids:
                with suppress(OSError, LookupError, ValueError):
                    self.peaks[name] = max(self.peaks[name], peak_memory_bytes(pid))

    def wait_for(self, count: int, batch: "subprocess.Popen[str]", server: "subprocess.Popen[str]") -> None:
        def there() -> bool:
            self.measure(batch, server)
            return self.outputs >= count or batch.poll() is not None

        eventually(there, within=HOUR, every=0.5)


def killed(process: "subprocess.Popen[str]", *, group: bool = False) -> None:
    assert process.poll() is None, "it has ended before it could be killed"
    (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
    process.wait()


def run(acceptance: Acceptance, *, kills: bool) -> dict[str, Any]:
    began = time.monotonic()
    acceptance.make_files(broken=kills)
    server = acceptance.serve()
    jobs = acceptance.clips * acceptance.faces
    good = jobs - acceptance.faces * kills
    try:
        if kills:
            batch = acceptance.batch()
            acceptance.wait_for(good // 4, batch, server)
            killed(batch)
            batch = acceptance.batch()
            acceptance.wait_for(good // 2, batch, server)
            killed(server)
            server = acceptance.serve()
            acceptance.wait_for(good * 3 // 4, batch, server)
            killed(batch)
            killed(server, group=True)
            server = acceptance.serve()
        batch = acceptance.batch()
        acceptance.wait_for(good - 1, batch, server)
        reports = [json.loads(line) for line in batch.communicate()[0].splitlines()]
        again = acceptance.batch()
        repeated = [json.loads(line) for line in again.communicate()[0].splitlines()]
        tasks = acceptance.objects("task", "list", "--all")
        uploads = acceptance.objects("file", "list", "--all")
    finally:
        server.terminate()
        server.wait()
    (summary,) = (each["summary"] for each in reports if "summary" in each)
    (second,) = (each["summary"] for each in repeated if "summary" in each)
    reasons = Counter(each["error"]["message"] for each in reports if each.get("error"))
    check(summary["done"] + summary["skipped"] == good, "every good job has a result")
    check(sum(reasons.values()) == jobs - good == summary["failed"], "every other job has a reason")
    check((second["done"], second["skipped"]) == (0, good), "the last run had nothing to do")
    check(len(tasks) == good, "every good job has one task")
    check(len(uploads) == acceptance.clips + acceptance.faces, "every input was uploaded once")
    check(acceptance.outputs == good, "every result is there, and nothing else")
    return {
        "seconds": round(time.monotonic() - began, 1),
        "summary": summary,
        "reasons": reasons,
        "tasks": len(tasks),
        "attempts": Counter(task["attempt"] for task in tasks),
        "peak_mb": {name: round(size / 1e6, 1) for name, size in acceptance.peaks.items()},
    }


def check(holds: bool, promise: str) -> None:
    assert holds, f"not so: {promise}"


def main(show: Callable[[str], object] = sys.stdout.write) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="mock")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--faces", type=int, default=3)
    parser.add_argument("--no-kills", action="store_true")
    chosen = vars(parser.parse_args())
    kills = not chosen.pop("no_kills")
    chosen["folder"].mkdir(parents=True)
    show(json.dumps(run(Acceptance(**chosen), kills=kills)) + "\n")


if __name__ == "__main__":
    main()
