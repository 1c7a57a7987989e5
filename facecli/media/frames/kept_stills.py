"""KeptStills: some frames of a segment as files, before and after, so that nothing decodes them again."""

from contextlib import suppress
from fractions import Fraction

from facecli.core.video.frames import FrameLayout, Planes
from facecli.core.video.media import FramesJob
from facecli.core.video.sheet import raw_still
from facecli.media.frames.nut import nut_frame_header, nut_header

BEFORE, AFTER = "before", "after"


class KeptStills:
    """Writes the wanted frames of a job beside its output; a sheet without one of them decodes it."""

    def __init__(self, job: FramesJob, layout: FrameLayout) -> None:
        self._folder, self._wanted = job.output.parent, frozenset(job.stills)
        self._layout = layout

    def keep(self, frame: int, side: str, planes: Planes, *, pixel_aspect: Fraction) -> None:
        """Write the frame of this number in the video, if it is wanted and the disk has room."""
        if frame not in self._wanted:
            return
        path = raw_still(self._folder, frame, side)
        try:
            with path.open("wb") as file:
                file.write(nut_header(self._layout, ticks=1, pixel_aspect=pixel_aspect))
                file.write(nut_frame_header(0, len(planes)))
                file.write(planes)
        except OSError:
            self._remove(frame, side)

    def remove(self) -> None:
        """Remove the files of a job that failed."""
        for frame in self._wanted:
            for side in (BEFORE, AFTER):
                self._remove(frame, side)

    def _remove(self, frame: int, side: str) -> None:
        with suppress(OSError):
            raw_still(self._folder, frame, side).unlink(missing_ok=True)
