"""Counted: the figures of swapped segments, stored beside their checkpoints and summed into the task.

Theory of operation. The figures of a segment are a checkpoint of their own, committed just before that of the
segment, so a finished segment never lacks them. The task's figures are always the sum over the files of all
finished segments, never an increment: a segment that is swapped again replaces its file, so nothing counts
twice, whatever was interrupted.
"""

import json
from dataclasses import asdict
from functools import partial

from facecli.core.video.engines import JudgingEngine
from facecli.core.video.figures import SwapFigures, total
from facecli.core.video.media import Segment
from facecli.tasks import transitions
from facecli.tasks.steps.run import Run


class Counted:
    """The figures of one attempt at a task."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._finished: list[SwapFigures] = []

    def store(self, segment: Segment, figures: SwapFigures) -> None:
        """Store the figures of a segment that is about to be finished."""
        self._run.work.store(_name(segment), json.dumps(asdict(figures)))

    def record(self, segment: Segment) -> None:
        """Add the figures of a finished segment to the task."""
        if text := self._run.work.stored(_name(segment)):
            self._finished.append(SwapFigures(**json.loads(text)))
        figures, task = total(self._finished), self._run.task
        if figures or task.figures:
            self._run.tools.tasks.change(task.id, partial(transitions.count, run=task.run, figures=figures))

    def judge(self) -> None:
        """Let the engine fail the task, after all segments."""
        engine, figures = self._run.engine, total(self._finished)
        if figures and isinstance(engine, JudgingEngine):
            engine.judge(figures, self._run.task.options)


def _name(segment: Segment) -> str:
    return f"{segment.index:06}.json"
