"""PreviewRequest: the frames to look at before a task is created."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from facecli.tasks.provenance.terms import NO_TERMS, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRequest:
    """A face, a video, and the times to look at, in microseconds; without any they are spread evenly."""

    owner: str
    image_url: str
    video_url: str
    engine: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    at: Sequence[int] = ()
    terms: Terms = NO_TERMS
