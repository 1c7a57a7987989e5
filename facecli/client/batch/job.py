"""Jobs of a batch: one face on one video, and the file for the result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from facecli.core.video.plan import WHOLE, VideoPart
from facecli.tasks.provenance.terms import NO_TERMS, Terms

DEFAULT_OUTPUT = "{video.stem}-{face.stem}.mp4"
MAX_JOBS = 10_000

Preset = tuple[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`output` is a template. `where` is the job's place in its file, such as `line 7`.

    `face_dir` and `video_dir` are the directories of the inputs below the ones that were named.
    """

    number: int  # from 1
    face: Path
    video: Path
    output: str = DEFAULT_OUTPUT
    engine: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    part: VideoPart = WHOLE
    terms: Terms = NO_TERMS
    notify: str = ""  # URL of a webhook
    where: str = ""
    face_dir: str = ""
    video_dir: str = ""

    @property
    def name(self) -> str:
        """The job in a message."""
        return place(self.number, self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefaults:
    """Values for what a job does not say, and the readers of its times and presets."""

    parse_time: Callable[[str], float]  # InvalidInput for another text
    preset: Callable[[str], Preset]  # engine and options; InvalidInput for an unknown name
    output: str = DEFAULT_OUTPUT
    engine: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    part: VideoPart = WHOLE
    terms: Terms = NO_TERMS
    notify: str = ""


def place(number: int, where: str) -> str:
    """A job in a message: `job 3 (line 7)`."""
    return f"job {number} ({where})" if where else f"job {number}"
