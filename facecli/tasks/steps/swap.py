"""Swap: runs the engine on each segment."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from facecli.core.errors import FacecliError
from facecli.core.labels.labels import on_segment
from facecli.core.video import engines
from facecli.core.video.media import Segment
from facecli.tasks.steps.counted import Counted
from facecli.tasks.steps.engine_plan import engine_plan
from facecli.tasks.steps.run import Run
from facecli.tasks.time_limits import Deadline, within


class Swap:
    """Swaps the face in every segment without a checkpoint; one checkpoint per segment.

    An engine that prepares for the whole video does so first, once; its plan is a checkpoint, too.
    """

    name = "swapping"
    weight = 93
    checkpoint = "{index:06}.mp4"

    def run(self, run: Run) -> None:
        plan = engine_plan(run)
        parts, figures = [], Counted(run)
        for segment in run.work.plan.segments:
            name = self.checkpoint.format(index=segment.index)
            parts.append(run.work.file(name, partial(_swap, run, segment, plan, figures)))
            figures.record(segment)
        figures.judge()
        run.parts = parts


def _swap(run: Run, segment: Segment, plan: Mapping[str, Any], figures: Counted, output: Path) -> None:
    task, media, whole = run.task, run.tools.media, run.work.plan
    if task.labels:
        label = on_segment(task.labels, start=segment.start, begin=whole.start)
        segment = replace(segment, label=label)
    info = whole.info
    deadline = Deadline(run.limits.segment, subject="a segment", setting="segment_timeout")
    job = engines.SwapJob(
        face=run.face,
        video=run.video,
        segment=segment,
        output=output,
        info=info,
        options=task.options,
        plan=plan,
        stills=[still.before for still in whole.stills],
    )
    with within(run.stopped, deadline) as stopped:
        counted = run.engine.swap(
            job,
            progress=lambda done: run.reporter.frames(
                whole.done_after(segment, done), whole.frames, skipped=whole.done_after(segment, 0)
            ),
            stopped=stopped,
        )
        frames = _checked(run, segment, output, stopped)
    if frames != segment.frames and frames != media.count_decodable(run.video, segment, info):
        raise FacecliError(
            f"engine {task.engine} wrote {frames} frames for segment {segment.index}, "
            f"which has {segment.frames}"
        )
    if counted:
        figures.store(segment, counted)


def _checked(run: Run, segment: Segment, output: Path, stopped: Callable[[], bool]) -> int:
    """Ensure the label of a swapped segment, and count its frames at the same time."""
    with ThreadPoolExecutor(1, "count") as thread:
        counted = thread.submit(run.tools.media.count_frames, output)
        if segment.label and run.tools.labeller.ensure_visible(output, segment.label, stopped=stopped):
            counted = thread.submit(run.tools.media.count_frames, output)  # of the file with the label
        return counted.result()
