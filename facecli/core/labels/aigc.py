"""AigcEntry: the implicit label, a GB 45438 Annex E style metadata entry with the key `AIGC`.

Its value is a JSON object of strings in visible ASCII without spaces. A later plain remux drops entries with
keys of one's own, but keeps the comment, so the comment repeats it behind `AIGC:`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from facecli.core.errors import InvalidInput

KEY = "AIGC"
COMMENT_KEY = "comment"
IS_AI_MADE = "1"
MAX_VALUE = 300  # characters of a field
MAX_ENTRY = 4096  # characters of an entry that is read

_FIELDS = ("Label", "ContentProducer", "ProduceID", "ReservedCode1")
_MORE = ("ContentPropagator", "PropagateID", "ReservedCode2")
_REQUIRED = ("Label", "ContentProducer", "ProduceID")
_LABELS = {IS_AI_MADE: "is AI-made", "2": "may be AI-made", "3": "is suspected to be AI-made"}
_VISIBLE = re.compile(r"[\x21-\x7e]*")
_IN_COMMENT = re.compile(r"AIGC:(\{[^{}]*\})")


@dataclass(frozen=True, slots=True, kw_only=True)
class AigcEntry:
    """The fields of an entry by their names; only a well-formed entry is one."""

    fields: Mapping[str, str]

    @classmethod
    def made_by(cls, *, producer: str, produce_id: str) -> "AigcEntry":
        given = {"Label": IS_AI_MADE, "ContentProducer": producer, "ProduceID": produce_id}
        return cls(fields={name: given.get(name, "") for name in (*_FIELDS, *_MORE)})

    @classmethod
    def parse(cls, text: str) -> "AigcEntry":
        """InvalidInput, with the reason, for an entry that is not well-formed."""
        try:
            found = json.loads(text) if len(text) <= MAX_ENTRY else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise InvalidInput("it is no JSON object")
        fields = {name: found.get(name, "") for name in (*_FIELDS, *_MORE)}
        for name, value in fields.items():
            if not isinstance(value, str) or not is_value(value):
                raise InvalidInput(f"{name} is not a short text of visible ASCII characters without spaces")
        missing = [name for name in _REQUIRED if not fields[name]]
        if missing:
            raise InvalidInput(f"{' and '.join(missing)} is empty or missing")
        if fields["Label"] not in _LABELS:
            raise InvalidInput(f"its Label is {fields['Label'][:20]}, not 1, 2 or 3")
        return cls(fields=fields)

    @property
    def text(self) -> str:
        return json.dumps(dict(self.fields), separators=(",", ":"))

    @property
    def claim(self) -> str:
        """The meaning of its `Label`: `is AI-made`."""
        return _LABELS[self.fields["Label"]]


def is_value(text: str) -> bool:
    """Whether a field can have this value."""
    return len(text) <= MAX_VALUE and _VISIBLE.fullmatch(text) is not None


def metadata(entry: AigcEntry, *, of_input: AigcEntry | None = None) -> dict[str, str]:
    """The metadata of a result. The entry of its input is kept in the comment: there is only one AIGC."""
    comment = f"{KEY}:{entry.text}"
    if of_input:
        comment += f" input {KEY}:{of_input.text}"
    return {KEY: entry.text, COMMENT_KEY: comment}


def in_comment(comment: str) -> str:
    """The text of the entry that a comment repeats; empty without one."""
    found = _IN_COMMENT.search(comment)
    return found[1] if found else ""
