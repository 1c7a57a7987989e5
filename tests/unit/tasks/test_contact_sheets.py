"""The contact sheet of a task: stored with the result, and never a reason to fail."""

from pathlib import Path

import pytest

from facecli.core.errors import Unavailable
from facecli.tasks.task import TaskStatus
from tests.unit.tasks.conftest import Delivery, PlainMedia, Rows, result


def test_a_completed_task_has_one_contact_sheet_also_after_an_outage(
    tmp_path: Path, rows: Rows, delivery: Delivery
) -> None:
    rows.outages = 1
    run = delivery("one")
    with pytest.raises(Unavailable):
        run()
    run()
    assert result(tmp_path, rows) == "01"
    assert rows.task.sheet
    assert (tmp_path / rows.task.sheet.blob_key / "data").read_text() == "a sheet of 0 frames"


def test_a_contact_sheet_is_found_by_its_url_in_any_encoding(rows: Rows, delivery: Delivery) -> None:
    delivery("one")()
    task, url = rows.task, rows.task.preview_url
    for path in (url, url.replace("clip", "%63li%70"), url.replace("%20", " ")):
        assert task.file_at(path) == (url, task.sheet)
    assert (
        task.file_at(task.result_url)
        == task.file_at(f"/outputs/{task.id}/x")
        == (task.result_url, task.result)
    )


def test_a_contact_sheet_that_cannot_be_made_fails_no_task(
    tmp_path: Path, rows: Rows, media: PlainMedia, delivery: Delivery
) -> None:
    media.unreadable = True
    delivery("one")()
    assert (rows.task.status, rows.task.sheet) == (TaskStatus.COMPLETED, None)
    assert result(tmp_path, rows) == "01"
