"""Output templates: a path with fields in braces, such as `out/{video.stem}-{face.stem}.mp4`.

A field stands for text in one part of a path and can neither leave it nor be `..`; only `{face.dir}` and
`{video.dir}`, alone between slashes, stand for several directories or none.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from string import Formatter

from facecli.client.batch.job import Job
from facecli.core.errors import InvalidInput
from facecli.core.printable import escaped

FIELDS = (
    *(f"{kind}.{part}" for kind in ("face", "video") for part in ("stem", "name", "suffix", "dir")),
    "number",
)

_DIRECTORIES = {"{face.dir}": "face_dir", "{video.dir}": "video_dir"}
_SPECIAL = {"", ".", ".."}


def output_path(job: Job) -> str:
    """The path that the job's template stands for; InvalidInput for a wrong template or an unsafe name."""
    template = job.output
    if not template or template.endswith("/"):
        raise InvalidInput(f"output {escaped(template)!r} names no file; end it with {{video.stem}}.mp4")
    path = "/".join(_parts(job))
    return f"/{path}" if template.startswith("/") else path


def has_fields(template: str) -> bool:
    """Whether the results of several jobs can have different names; InvalidInput for a wrong template."""
    return any(field is not None for _, field in _parsed(template))


def _parts(job: Job) -> Iterator[str]:
    for raw in job.output.split("/"):
        if raw in _DIRECTORIES:
            yield from _checked_directories(getattr(job, _DIRECTORIES[raw]))
        elif raw:
            yield _rendered(raw, job)


def _checked_directories(text: str) -> Iterator[str]:
    for name in filter(None, text.split("/")):
        if name in _SPECIAL:
            raise InvalidInput(f"the directory {escaped(text)} leads out of its place")
        yield name


def _rendered(raw: str, job: Job) -> str:
    values = _values(job)
    text, variable = "", False
    for literal, field in _parsed(raw):
        text += literal
        if field is not None:
            variable = True
            text += values[field]
    if variable and (text in _SPECIAL or "/" in text or "\0" in text):
        raise InvalidInput(f"output {escaped(raw)} would be {escaped(text)!r}, which is no name for a file")
    return text


def _parsed(text: str) -> Iterator[tuple[str, str | None]]:
    """Each literal text with the field behind it, if there is one."""
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise InvalidInput(f"output {escaped(text)}: {error}; write {{{{ for a brace") from error
    for literal, field, spec, conversion in parsed:
        if field is not None and (spec or conversion or field not in FIELDS):
            near = get_close_matches(field, FIELDS, 1)
            suggestion = f"did you mean {{{near[0]}}}?" if near else f"the fields are {', '.join(FIELDS)}"
            raise InvalidInput(f"output {escaped(text)}: unknown field {{{escaped(field)}}}; {suggestion}")
        yield literal, field


def _values(job: Job) -> dict[str, str]:
    values = {"number": str(job.number)}
    for kind, path in (("face", job.face), ("video", job.video)):
        values |= {f"{kind}.stem": path.stem, f"{kind}.name": path.name, f"{kind}.suffix": path.suffix}
        values[f"{kind}.dir"] = job.face_dir if kind == "face" else job.video_dir
    return values
