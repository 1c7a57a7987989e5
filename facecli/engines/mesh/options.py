"""Options of the mesh engine, as a user gives them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from facecli.core.errors import InvalidInput


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


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        number = float(text)
        if not low <= number <= high:  # also NaN
            raise ValueError(f"from {low:g} to {high:g}")
        return number

    parse.__doc__ = f"{low:g} to {high:g}"
    return parse


def _choice(kind: type[StrEnum]) -> Callable[[str], StrEnum]:
    def parse(text: str) -> StrEnum:
        return kind(text)

    parse.__doc__ = ", ".join(kind)
    return parse


def _selection(text: str) -> str:
    """main, all, index:N"""
    kind, colon, value = text.partition(":")
    if (not colon and kind in ("main", "all")) or (
        kind == "index" and value.isascii() and value.isdigit() and len(value) < 4
    ):
        return text
    raise ValueError("unknown")


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

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> "MeshOptions":
        """InvalidInput, naming the option and its values, for one that is unknown or out of range."""
        values = {}
        for name, text in options.items():
            if name not in _PARSERS:
                known = ", ".join(_PARSERS)
                raise InvalidInput(f"engine mesh has no option {name!r}; there are: {known}")
            parse, _ = _PARSERS[name]
            try:
                values[name] = parse(text)
            except ValueError:
                raise InvalidInput(
                    f"option {name} of engine mesh cannot be {text!r}; it is one of: {parse.__doc__}"
                ) from None
        return cls(**values)  # type: ignore[arg-type]

    @classmethod
    def described(cls) -> list[tuple[str, str, str, str]]:
        """For each option: its name, values, default and meaning."""
        return [
            (field.name, str(_PARSERS[field.name][0].__doc__), f"{field.default}", _PARSERS[field.name][1])
            for field in fields(cls)
        ]


_PARSERS: dict[str, tuple[Callable[[str], object], str]] = {
    "faces": (
        _selection,
        "the faces to replace: the person with most area, all, or one by order",
    ),
    "match": (_number(0, 1.2), "greatest distance of two pictures of one person"),
    "color": (_choice(Color), "adjustment of the skin colour"),
    "blend": (_choice(Blend), "transition at the edge of the face"),
    "feather": (_number(0, 0.5), "width of the transition, in eye distances"),
    "size": (_number(0.8, 1.0), "share of the face's oval that is replaced"),
    "eyes": (_choice(Eyes), "whose eyes are seen"),
    "mouth": (_choice(Mouth), "whose inner mouth is seen; auto: the target's while it is open"),
    "strength": (_number(0, 1), "opacity of the new face"),
    "smooth": (_number(0, 1), "smoothing of the shape over time"),
    "small": (_choice(Small), "search for faces down to 24 pixels, at a third of the speed"),
}
