"""Engines that prepare: once for a video, before any segment is swapped."""

from dataclasses import replace
from functools import partial

import pytest

from facecli.core.errors import MediaRefused, Unavailable
from facecli.core.video.engine_options import EngineOption
from facecli.core.video.engines import PrepareJob
from facecli.tasks.task import TaskStatus
from tests.support.builders import PLAN
from tests.unit.tasks.conftest import Delivery, PlainEngine, Rows, raises


def test_an_engine_prepares_once_for_all_segments_and_attempts(
    rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    prepared = []

    def prepare(job: PrepareJob, *, stopped: object) -> dict[str, object]:
        prepared.append(job.info)
        return {"people": [len(prepared)]}

    engine.prepare = prepare  # type: ignore[attr-defined]
    engine.then = [lambda: None, partial(raises, Unavailable("away"))]
    run = delivery("one")
    with pytest.raises(Unavailable):
        run()
    run()
    assert prepared == [PLAN.info]
    assert engine.plans == [{"people": [1]}] * 3


def test_an_engine_prepares_with_the_pictures_that_its_options_name(
    rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    like, files = (
        EngineOption.choice("faces", "the face to replace", choices=("main", "like:URL"), default="main"),
        [],
    )

    def prepare(job: PrepareJob, *, stopped: object) -> dict[str, object]:
        files.append(job.files == {"faces": job.face})
        return {}

    engine.prepare = prepare  # type: ignore[attr-defined]
    engine.options = (like,)  # type: ignore[attr-defined]
    rows.task = replace(rows.task, options={"faces": "like:/uploads/clip/her.png"})
    delivery("one")()
    assert rows.task.status is TaskStatus.COMPLETED
    assert files == [True]


def test_an_engine_that_cannot_use_the_face_fails_the_task_before_a_frame_is_swapped(
    rows: Rows, engine: PlainEngine, delivery: Delivery
) -> None:
    engine.prepare = lambda job, stopped: raises(MediaRefused("no face"))  # type: ignore[attr-defined]
    delivery("one")()
    assert (rows.task.status, rows.task.error_message) == (TaskStatus.FAILED, "no face")
    assert engine.swapped == []
