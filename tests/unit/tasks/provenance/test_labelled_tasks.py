"""Labels and provenance record of a task, through its workflow."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.core.labels.aigc import AigcEntry
from facecli.core.labels.labels import LabelFrames, Labels
from facecli.tasks.provenance.terms import Consent, Terms
from facecli.tasks.task import TaskStatus
from tests.unit.tasks.conftest import LABELS, Delivery, PlainEngine, PlainMedia, Rows, result


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
    record = run(rows, delivery, LABELS, terms)
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
    run(rows, delivery, replace(LABELS, frames=frames))
    opening = [at for at, each in enumerate(engine.segments) if each.start < engine.segments[0].start + 2]
    labelled = range(len(engine.segments)) if frames is LabelFrames.ALL else opening
    assert [at for at, each in enumerate(engine.segments) if each.label] == list(labelled)
    assert len(media.visible) == len(labelled)


def test_a_signed_result_is_the_last_of_all_and_its_record_names_the_signer(
    rows: Rows, delivery: Delivery, media: PlainMedia, tmp_path: Path
) -> None:
    media.signs = True
    record = run(rows, delivery, LABELS)
    assert result(tmp_path, rows) == "signed 01"
    labels = record["labels"]
    assert isinstance(labels, dict)
    assert labels["c2pa"] == {"certificate_sha256": "5"}


def test_a_result_without_labels_is_not_signed(
    rows: Rows, delivery: Delivery, media: PlainMedia, tmp_path: Path
) -> None:
    media.signs = True
    run(rows, delivery, None)
    assert result(tmp_path, rows) == "01"
