"""Setup: all that the process needs to know before the first frame."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from facecli.core.video.frames import FrameLayout, Planes
from facecli.engines.mesh.process.messages import Request, encode_json


class Work(StrEnum):
    SWAP = "swap"  # return the segment's own frames, swapped
    PLAN = "plan"  # find the people in the frames, all of which are samples, and describe the picture's face
    DESCRIBE = "describe"  # return the embedding of the picture's face; no frames come
    TRY = "try"  # swap nothing: load the weights, and draw the picture's face on itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    work: Work
    layout: FrameLayout
    picture: tuple[int, int]  # width and height of the face picture
    options: Mapping[str, str] = field(default_factory=dict)
    people: Sequence[Mapping[str, Any]] = ()  # the plan's, as JSON
    like: Sequence[float] = ()  # embedding of the wanted face, if a picture names it
    first: int = 0  # number of the first frame in its video
    rate: float = 25.0  # frames per second
    engine: str = "mesh"
    memory: int | None = None  # descriptor of the memory with the frames; without it, they come in messages
    weights: Mapping[str, Any] = field(default_factory=dict)  # of an engine that has its own, as JSON

    def encode(self) -> bytes:
        return encode_json(Request.SETUP, asdict(self))

    @classmethod
    def decode(cls, data: Planes) -> "Setup":
        values = json.loads(bytes(data))
        known = {
            "work": Work(values["work"]),
            "layout": FrameLayout(**values["layout"]),
            "picture": tuple(values["picture"]),
        }
        return cls(**{**values, **known})
