"""The provenance record of a completed task: of what, by what and under which terms its result was made."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facecli import __version__
from facecli.core.labels.aigc import AigcEntry
from facecli.core.labels.labels import Labels
from facecli.core.video.plan import MICROSECONDS
from facecli.tasks.task import Task

FORMAT = "facecli-provenance-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFile:
    """An input or an output with its hash; `role` is face, video, result, or an option of the engine."""

    role: str
    size: int
    sha256: str
    upload_id: str = ""
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value != ""}


def provenance_record(
    task: Task,
    *,
    now: float,
    engine_version: str,
    weights: Mapping[str, str],
    inputs: Sequence[RecordedFile],
    output: RecordedFile,
    signer: Mapping[str, object] | None,
) -> str:
    """The record as JSON. `weights` are the sha256 of the engine's networks by their names."""
    terms = task.terms
    record = {
        "format": FORMAT,
        "facecli": __version__,
        "task": {
            "id": task.id,
            "owner": task.owner,
            "key": task.key,
            "from": task.part.start / MICROSECONDS,
            "to": None if task.part.end is None else task.part.end / MICROSECONDS,
            "options": dict(task.options),
            "round": task.round,
            "attempt": task.attempt,
            "created_at": _time(task.created_at),
            "completed_at": _time(now),
        },
        "engine": {"name": task.engine, "version": engine_version, "weights": dict(weights)},
        "inputs": [each.as_json() for each in inputs],
        "output": output.as_json(),
        "labels": _labels(task, signer) if task.labels else None,
        "waiver": {"by": terms.by, "reason": terms.waiver} if terms.waiver else None,
        "consent": {"by": terms.by, **asdict(terms.consent)} if terms.consent else None,
    }
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def implicit_entry(task_id: str, labels: Labels) -> AigcEntry:
    """The implicit label of the result of a task."""
    return AigcEntry.made_by(producer=labels.producer, produce_id=task_id)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _labels(task: Task, signer: Mapping[str, object] | None) -> dict[str, Any]:
    assert task.labels
    return {
        "implicit": dict(implicit_entry(task.id, task.labels).fields),
        "visible": {"text": task.labels.text.shown, "frames": task.labels.frames},
        "c2pa": dict(signer) if signer else None,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
