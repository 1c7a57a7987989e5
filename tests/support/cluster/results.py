"""Results of tasks that should be the same file, and in what others differ from it."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from tests.support.cluster.machines import Cluster
from tests.support.e2e.files import sha256
from tests.support.e2e.process import run

SHOWN = 20  # lines of a difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """The result of a task; `sha256` is empty if it could not be downloaded, and `error` says why."""

    path: Path
    sha256: str
    error: str


def downloaded(
    cluster: Cluster, task_ids: Sequence[str], folder: Path, *, user: str
) -> dict[str, Downloaded]:
    """Download the result of each task."""
    results = {}
    for task_id in task_ids:
        path = folder / f"{task_id}.mp4"
        result = run("task", "download", task_id, "-o", path, *cluster.client, "--user", user)
        complete = result.code == 0
        results[task_id] = Downloaded(
            path=path,
            sha256=sha256(path) if complete else "",
            error="" if complete else f"exit {result.code}: {result.err[-2000:]}",
        )
    return results


def usual_checksum(results: Mapping[str, Downloaded]) -> str:
    """The most frequent checksum; empty if nothing could be downloaded."""
    found = Counter(each.sha256 for each in results.values() if not each.error).most_common(1)
    return found[0][0] if found else ""


def differences(results: Mapping[str, Downloaded], *, kept: Path | None) -> Iterator[str]:
    """Tell in what each result differs from the most frequent one; copy both to the folder `kept`."""
    usual = usual_checksum(results)
    model = next(each for each in results.values() if each.sha256 == usual)
    for task_id, each in results.items():
        if each.error:
            yield f"result of {task_id} not downloaded: {each.error}"
        elif each.sha256 != usual:
            yield f"result of {task_id} differs:"
            lines = unified_diff(packets(model.path), packets(each.path), "usual", task_id, lineterm="", n=0)
            yield from list(lines)[:SHOWN] or ["no packet differs"]
            if kept:
                shutil.copy(model.path, kept / "usual.mp4")
                shutil.copy(each.path, kept)


def packets(path: Path) -> list[str]:
    """Every packet of a file, with times, size and checksum, behind the size and the streams of the file."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0", "-c", "copy", "-f", "framecrc", "-"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    return [f"{path.stat().st_size} bytes", *(listing.stdout + listing.stderr).splitlines()]
