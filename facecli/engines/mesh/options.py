"""Options of the mesh engine, as a user gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from facecli.core.video.engine_options import EngineOption, parse_options


class Color(StrEnum):
    LAB = "lab"  # mean and contrast of the skin
    LIGHT = "light"  # the target's shading and colour cast
    NONE = "none"


class Blend(StrEnum):
    FEATHER = "feather"
    POISSON = "poisson"


class Eyes(StrEnum):
    TARGET = "target"
    SOURCE = "source"


class Mouth(StrEnum):
    AUTO = "auto"  # the target's while it is open
    TARGET = "target"
    SOURCE = "source"


class Small(StrEnum):
    OFF = "off"
    ON = "on"


class Missing(StrEnum):
    KEEP = "keep"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshOptions:
    """Lengths are in eye distances, the pixels between the outer corners of the eyes."""

    faces: str = "main"
    match: float = 0.6
    color: Color = Color.LAB
    blend: Blend = Blend.FEATHER
    feather: float = 0.08
    size: float = 1.0
    eyes: Eyes = Eyes.TARGET
    mouth: Mouth = Mouth.AUTO
    strength: float = 1.0
    smooth: float = 0.5
    small: Small = Small.OFF
    missing: Missing = Missing.FAIL

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> "MeshOptions":
        """InvalidInput, naming the option and its values, for one that is unknown or out of range."""
        values = parse_options("mesh", OPTIONS, options)
        kinds: dict[str, type[StrEnum]] = {
            "color": Color,
            "blend": Blend,
            "eyes": Eyes,
            "mouth": Mouth,
            "small": Small,
            "missing": Missing,
        }
        typed = {name: kinds[name](str(value)) if name in kinds else value for name, value in values.items()}
        return cls(**typed)  # type: ignore[arg-type]


OPTIONS = (
    EngineOption.choice(
        "faces",
        "whose face to replace: that of most area, all, one by order from 0, or that of a picture",
        choices=("main", "all", "index:N", "like:URL"),
        default="main",
    ),
    EngineOption.number(
        "match", "greatest distance of two pictures of one person", low=0, high=1.2, default=0.6
    ),
    EngineOption.choice("color", "what adjusts the skin colour", choices=tuple(Color), default=Color.LAB),
    EngineOption.choice(
        "blend", "transition at the edge of the face", choices=tuple(Blend), default=Blend.FEATHER
    ),
    EngineOption.number(
        "feather", "width of the transition, in eye distances", low=0, high=0.5, default=0.08
    ),
    EngineOption.number("size", "share of the face's oval that is replaced", low=0.8, high=1, default=1),
    EngineOption.choice("eyes", "whose eyes are seen", choices=tuple(Eyes), default=Eyes.TARGET),
    EngineOption.choice(
        "mouth",
        "whose inner mouth is seen; auto: the target's while it is open",
        choices=tuple(Mouth),
        default=Mouth.AUTO,
    ),
    EngineOption.number("strength", "opacity of the new face", low=0, high=1, default=1),
    EngineOption.number("smooth", "smoothing of the shape over time", low=0, high=1, default=0.5),
    EngineOption.choice(
        "small",
        "search for faces down to 24 pixels, at a third of the speed",
        choices=tuple(Small),
        default=Small.OFF,
    ),
    EngineOption.choice(
        "missing",
        "when no frame shows the face to replace: fail the task, or keep the video as it is",
        choices=tuple(Missing),
        default=Missing.FAIL,
    ),
)
