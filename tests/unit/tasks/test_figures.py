"""Figures of segments: summed into the task, once for each segment, whatever was interrupted."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from facecli.core.errors import NothingSwapped, ProgramKilled, Unavailable
from facecli.core.video.figures import SwapFigures, total
from facecli.tasks.task import TaskStatus
from tests.support.builders import PLAN
from tests.unit.tasks.conftest import Delivery, PlainEngine, Rows, raises

EACH = [
    SwapFigures(swapped=index, without_face=1, turned_away=10 * index, people=index + 1)
    for index in range(len(PLAN.segments))
]


def test_a_task_has_the_sum_of_the_figures_of_its_segments(
    rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    engine.figures = EACH
    delivery("one")()
    assert rows.task.status is TaskStatus.COMPLETED
    assert rows.task.figures == total(EACH)
    assert rows.task.figures
    assert (rows.task.figures.without_face, rows.task.figures.people) == (len(EACH), len(EACH))


@pytest.mark.parametrize("error", [Unavailable("away"), ProgramKilled("killed")])
def test_an_interrupted_segment_does_not_count_twice(
    rows: Rows, engine: PlainEngine, delivery: Delivery, error: Exception
) -> None:
    engine.figures = EACH
    engine.then = [lambda: None, partial(raises, error)]
    run = delivery("one")
    with pytest.raises(type(error)):
        run()
    assert rows.task.figures == EACH[0]
    run()
    assert rows.task.figures == total(EACH)


def test_figures_of_a_segment_whose_video_was_lost_are_replaced(
    rows: Rows, engine: PlainEngine, delivery: Delivery, tmp_path: Path
) -> None:
    engine.figures = EACH
    engine.then = [lambda: None, partial(raises, Unavailable("away"))]
    run = delivery("one")
    with pytest.raises(Unavailable):
        run()
    (first,) = (tmp_path / "work").rglob("000000.mp4")
    first.unlink()
    engine.figures = [SwapFigures(swapped=7), *EACH[1:]]
    run()
    assert rows.task.figures == total(engine.figures)


def test_a_task_of_an_engine_that_does_not_count_has_no_figures(rows: Rows, delivery: Delivery) -> None:
    delivery("one")()
    assert (rows.task.status, rows.task.figures) == (TaskStatus.COMPLETED, None)


def test_an_engine_can_fail_a_video_in_which_nothing_was_swapped(
    rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    judged = []

    def judge(figures: SwapFigures, options: Mapping[str, str]) -> None:
        judged.append(figures)
        raise NothingSwapped(figures.text)

    engine.figures = [SwapFigures(without_face=2)] * len(EACH)
    engine.judge = judge  # type: ignore[attr-defined]
    delivery("one")()
    assert judged == [SwapFigures(without_face=2 * len(EACH))]
    assert (rows.task.status, rows.task.error_reason) == (TaskStatus.FAILED, "NOTHING_SWAPPED")
    assert rows.task.error_message == judged[0].text


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        (SwapFigures(swapped=3), "swapped 3 of 3 frames"),
        (
            SwapFigures(swapped=5, without_face=2, turned_away=1, people=2),
            "swapped 5 of 8 frames, 2 without a face to replace, 1 with the face turned away, "
            "2 people in the video",
        ),
    ],
)
def test_figures_read_as_a_clause(figures: SwapFigures, text: str) -> None:
    assert figures.text == text
