"""Labels and provenance record of a task, through its workflow."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.core.labels.aigc import AigcEntry
from facecli.core.labels.labels import LabelFrames, Labels, LabelText
from facecli.tasks.provenance.terms import Consent, Terms
from facecli.tasks.task import TaskStatus
from tests.unit.tasks.conftest import Delivery, PlainEngine, PlainMedia, Rows, result

OPENING = Labels(producer="studio", text=LabelText.CHINESE, frames=LabelFrames.OPENING)


def run(rows: Rows, delivery: Delivery, labels: Labels | None, terms: Terms = Terms()) -> dict[str, object]:
    """Run the task and return its record."""
    rows.task = replace(rows.task, labels=labels, terms=terms)
    delivery("w")()
    assert rows.task.status is TaskStatus.COMPLETED
    (record,) = rows.records
    found: dict[str, object] = json.loads(record)
    return found


def test_a_labelled_result_has_its_entry_and_a_record(
    rows: Rows, delivery: Delivery, media: PlainMedia, tmp_path: Path
) -> None:
    terms = Terms(consent=Consent(sha256="1" * 64, kind="file", name="consent.pdf"), by="ann")
    record = run(rows, delivery, OPENING, terms)
    entry = AigcEntry.parse(media.metadata["AIGC"])
    assert (entry.fields["ContentProducer"], entry.fields["ProduceID"]) == ("studio", "t")
    assert record["labels"] == {
        "implicit": dict(entry.fields),
        "visible": {"text": "AI生成", "frames": "opening"},
        "c2pa": None,
    }
    assert record["consent"] == {"by": "ann", "sha256": "1" * 64, "kind": "file", "name": "consent.pdf"}
    output = record["output"]
    assert isinstance(output, dict)
    assert output["sha256"] == hashlib.sha256(result(tmp_path, rows).encode()).hexdigest()


def test_an_unlabelled_result_has_a_record_of_the_waiver(
    rows: Rows, delivery: Delivery, media: PlainMedia
) -> None:
    record = run(rows, delivery, None, Terms(waiver="for a test", by="root"))
    assert (media.metadata, media.visible) == ({}, [])
    assert (record["labels"], record["waiver"]) == (None, {"by": "root", "reason": "for a test"})


@pytest.mark.parametrize("frames", LabelFrames)
def test_the_visible_label_is_on_the_segments_it_belongs_to(
    rows: Rows, delivery: Delivery, media: PlainMedia, engine: PlainEngine, frames: LabelFrames
) -> None:
    run(rows, delivery, replace(OPENING, frames=frames))
    opening = [at for at, each in enumerate(engine.segments) if each.start < engine.segments[0].start + 2]
    labelled = range(len(engine.segments)) if frames is LabelFrames.ALL else opening
    assert [at for at, each in enumerate(engine.segments) if each.label] == list(labelled)
    assert len(media.visible) == len(labelled)
