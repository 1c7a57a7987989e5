"""Swap: runs the engine on each segment."""

from functools import partial
from pathlib import Path

from facecli.core.errors import FacecliError
from facecli.core.video import engines
from facecli.core.video.media import Segment
from facecli.tasks.steps.run import Run
from facecli.tasks.time_limits import Deadline, within


class Swap:
    """Swaps the face in every segment without a checkpoint; one checkpoint per segment."""

    name = "swapping"
    weight = 93
    checkpoint = "{index:06}.mp4"

    def run(self, run: Run) -> None:
        run.parts = [
            run.work.file(self.checkpoint.format(index=segment.index), partial(_swap, run, segment))
            for segment in run.work.plan.segments
        ]


def _swap(run: Run, segment: Segment, output: Path) -> None:
    task, media, info = run.task, run.tools.media, run.work.plan.info
    deadline = Deadline(run.limits.segment, subject="a segment", setting="segment_timeout")
    job = engines.SwapJob(
        face=run.face, video=run.video, segment=segment, output=output, info=info, options=task.options
    )
    with within(run.stopped, deadline) as stopped:
        run.engine.swap(
            job,
            progress=lambda done: run.reporter.frames(
                segment.before + done, info.frames, skipped=segment.before
            ),
            stopped=stopped,
        )
    frames = media.count_frames(output)
    if frames != segment.frames and frames != media.count_decodable(run.video, segment, info):
        raise FacecliError(
            f"engine {task.engine} wrote {frames} frames for segment {segment.index}, "
            f"which has {segment.frames}"
        )
