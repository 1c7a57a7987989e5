"""Options of engines: declared once, with type, values and default, and checked by that declaration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from facecli.core.errors import InvalidInput

MAX_NUMBER_DIGITS = 6  # of the N in a choice such as `index:N`


class OptionType(StrEnum):
    NUMBER = "number"
    INTEGER = "integer"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOption:
    """One option. A number lies from `minimum` to `maximum`; a choice is one of `choices`.

    A choice may end in `:N`, which stands for any whole number, or in `:URL`, for that of an uploaded file.
    """

    name: str
    type: OptionType
    about: str  # half a sentence
    default: str = ""  # empty: absent, the option has no effect
    minimum: float = 0.0
    maximum: float = 0.0
    choices: tuple[str, ...] = ()

    @classmethod
    def number(
        cls, name: str, about: str, *, low: float, high: float, default: float | None
    ) -> "EngineOption":
        text = "" if default is None else f"{default:g}"
        kind = OptionType.NUMBER
        return cls(name=name, type=kind, about=about, minimum=low, maximum=high, default=text)

    @classmethod
    def choice(cls, name: str, about: str, *, choices: Sequence[str], default: str) -> "EngineOption":
        return cls(
            name=name, type=OptionType.CHOICE, about=about, choices=tuple(map(str, choices)), default=default
        )

    @property
    def values(self) -> str:
        """The values, for people."""
        if self.type is OptionType.CHOICE:
            return ", ".join(self.choices)
        whole = "whole numbers from " if self.type is OptionType.INTEGER else ""
        return f"{whole}{self.minimum:.15g} to {self.maximum:.15g}"

    def parse(self, text: str) -> float | int | str:
        """Return the value; ValueError unless it is one of the option's."""
        if self.type is OptionType.CHOICE:
            if not any(_matches(text, choice) for choice in self.choices):
                raise ValueError("unknown")
            return text
        number = int(text) if self.type is OptionType.INTEGER else float(text)
        if not self.minimum <= number <= self.maximum:  # also NaN
            raise ValueError("out of range")
        return number


def parse_options(
    engine: str, declared: Sequence[EngineOption], given: Mapping[str, str]
) -> dict[str, float | int | str]:
    """The values of the given options; InvalidInput, naming what is possible, for any that is wrong."""
    known = {option.name: option for option in declared}
    values = {}
    for name, text in given.items():
        if name not in known:
            names = ", ".join(known)
            raise InvalidInput(f"engine {engine} has no option {name!r}; its options are: {names or 'none'}")
        try:
            values[name] = known[name].parse(text)
        except ValueError:
            raise InvalidInput(
                f"option {name} of engine {engine} cannot be {text!r}; its values are: {known[name].values}"
            ) from None
    return values


def file_urls(declared: Sequence[EngineOption], given: Mapping[str, str]) -> dict[str, str]:
    """The URLs of uploaded files that valid options name, by the option."""
    prefixes = {
        option.name: choice.removesuffix("URL")
        for option in declared
        for choice in option.choices
        if choice.endswith(":URL")
    }
    return {
        name: given[name].removeprefix(prefix)
        for name, prefix in prefixes.items()
        if given.get(name, "").startswith(prefix)
    }


def _matches(text: str, choice: str) -> bool:
    kind, colon, form = choice.partition(":")
    if not colon:
        return text == choice
    given, _, value = text.partition(":")
    if given != kind:
        return False
    if form == "N":
        return value.isascii() and value.isdigit() and len(value) <= MAX_NUMBER_DIGITS
    return bool(value)
