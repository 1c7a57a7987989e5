"""The fields of a job in a job file: names, types and bounds, whatever the file's format."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from facecli.client.batch.job import Job, JobDefaults, Preset, place
from facecli.client.terms import stated_terms
from facecli.core.errors import InvalidInput
from facecli.core.printable import MAX_QUOTED, escaped, shortened
from facecli.core.video.plan import MICROSECONDS, VideoPart
from facecli.tasks.provenance.terms import Terms

FIELDS = (
    *("face", "video", "output", "engine", "options", "from", "to", "preset"),
    *("consent", "no_label", "notify"),
)
MAX_TEXT = 4096  # characters of a value
MAX_OPTIONS = 100  # of a job

Fields = Mapping[str, Any]


class JobReader:
    """Turns the fields of jobs into jobs. Relative paths are below `base`."""

    def __init__(self, base: Path, defaults: JobDefaults) -> None:
        self._base = base
        self._defaults = defaults
        self._consents = dict[str, Terms]()

    def job(self, fields: Fields, *, number: int, where: str, shared: Fields | None = None) -> Job:
        """A job of a file, whose defaults are `shared`; InvalidInput names its place and the field."""
        try:
            return self._job(fields, shared or {}, number, where)
        except InvalidInput as error:
            raise InvalidInput(f"{place(number, where)}: {error.message}") from error

    def _job(self, fields: Fields, shared: Fields, number: int, where: str) -> Job:
        check_names(fields)
        merged = {**shared, **fields}
        engine, options = self._preset(merged)
        return Job(
            number=number,
            where=where,
            face=self._path(merged, "face"),
            video=self._path(merged, "video"),
            output=_text(merged, "output") or self._defaults.output,
            engine=_text(merged, "engine") or engine or self._defaults.engine,
            options={
                **self._defaults.options,
                **options,
                **options_of(shared),
                **options_of(fields),
            },
            part=self._part(merged),
            terms=self._terms(merged),
            notify=_text(merged, "notify") or self._defaults.notify,
        )

    def _preset(self, fields: Fields) -> Preset:
        name = _text(fields, "preset")
        return self._defaults.preset(name) if name else ("", {})

    def _path(self, fields: Fields, name: str) -> Path:
        text = _text(fields, name)
        if not text:
            raise InvalidInput(f"{name} is missing; name a file")
        return self._base / text

    def _terms(self, fields: Fields) -> Terms:
        default = self._defaults.terms
        consent, no_label = _text(fields, "consent"), _text(fields, "no_label")
        terms = replace(default, waiver=no_label or default.waiver)
        if consent:
            if consent not in self._consents:  # a document that many jobs have is read once
                path = self._base / consent
                is_file = os.path.isfile(path)  # noqa: PTH113  (false for a long text)
                self._consents[consent] = stated_terms("", path if is_file else consent)
            terms = replace(terms, consent=self._consents[consent].consent)
        terms.check()
        return terms

    def _part(self, fields: Fields) -> VideoPart:
        default = self._defaults.part
        begin, end = (self._time(fields, name) for name in ("from", "to"))
        part = VideoPart(
            start=default.start if begin is None else begin, end=default.end if end is None else end
        )
        part.check()
        return part

    def _time(self, fields: Fields, name: str) -> int | None:
        value = fields.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidInput(f"{name} must be a time such as 3s")
        try:
            return round(self._defaults.parse_time(str(value)) * MICROSECONDS)
        except InvalidInput as error:
            raise InvalidInput(f"{name}: {error.message}") from error


def check_names(names: Iterable[str], *, known: Iterable[str] = FIELDS) -> None:
    """InvalidInput for a field that a job does not have, with the nearest one that it has."""
    known = list(known)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            suggestion = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(known)}"
            raise InvalidInput(f"unknown field {_quoted(name)}; {suggestion}")


def options_of(fields: Fields) -> dict[str, str]:
    """The engine options among the fields, as texts."""
    options = fields.get("options")
    if options is None:
        return {}
    if not isinstance(options, Mapping) or len(options) > MAX_OPTIONS:
        raise InvalidInput(f"options must be at most {MAX_OPTIONS} pairs of a name and a value")
    return {name: option_text(name, value) for name, value in options.items()}


def option_text(name: str, value: object) -> str:
    """The value of an engine option as a text; InvalidInput for a list or a table."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float) or len(str(value)) > MAX_TEXT or not name:
        raise InvalidInput(f"option {_quoted(name)} must be a short text, a number, true or false")
    return str(value)


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\0" in value:
        raise InvalidInput(f"{name} must be a text of at most {MAX_TEXT} characters")
    return value


def _quoted(name: str) -> str:
    return repr(escaped(shortened(name, MAX_QUOTED)))
