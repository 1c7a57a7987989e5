"""Tasks as database rows, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping

from facecli.core.labels.labels import LabelFrames, Labels, LabelText
from facecli.core.video.figures import SwapFigures
from facecli.core.video.plan import VideoPart
from facecli.metadata.tables import tasks
from facecli.tasks.provenance.terms import Terms
from facecli.tasks.task import Origin, Priority, Result, Task, TaskStatus

_COLUMNS = tuple(column.name for column in tasks.c)
_FILES = ("result", "sheet")  # fields of Task that hold a Result; its columns have them as their prefix
_RESULT = ("blob_key", "size", "crc32c")  # fields of Result
_PART = ("start", "end")  # fields of VideoPart; the columns have the prefix `part_`
_ORIGIN = ("request_id", "traceparent")  # fields of Origin; the columns have the prefix `origin_`
_RECORDS = ("figures", "labels")  # fields that are stored as JSON objects, or null


def row_of(task: Task) -> dict[str, Any]:
    files = {
        f"{file}_{name}": getattr(getattr(task, file), name, None) for file in _FILES for name in _RESULT
    }
    part = {f"part_{name}": getattr(task.part, name) for name in _PART}
    records = {name: asdict(value) if (value := getattr(task, name)) else None for name in _RECORDS}
    origin = {f"origin_{name}": getattr(task.origin, name) for name in _ORIGIN}
    apart = files | part | records | origin | {"terms": task.terms.as_json()}
    return {name: getattr(task, name) for name in _COLUMNS if name not in apart} | apart


def task_of(row: RowMapping) -> Task:
    values = {name: row[name] for name in _COLUMNS}
    for file in _FILES:
        found = {name: values.pop(f"{file}_{name}") for name in _RESULT}
        values[file] = Result(**found) if found["blob_key"] else None
    values["part"] = VideoPart(**{name: values.pop(f"part_{name}") for name in _PART})
    values["origin"] = Origin(**{name: values.pop(f"origin_{name}") for name in _ORIGIN})
    values["notes"] = tuple(row["notes"])
    values["figures"] = SwapFigures(**row["figures"]) if row["figures"] else None
    values["labels"] = _labels(row["labels"]) if row["labels"] else None
    values["terms"] = Terms.from_json(row["terms"])
    values["status"] = TaskStatus(row["status"])
    values["priority"] = Priority(row["priority"])
    return Task(**values)


def _labels(values: Mapping[str, str]) -> Labels:
    return Labels(
        producer=values["producer"],
        text=LabelText(values["text"]),
        frames=LabelFrames(values["frames"]),
    )
