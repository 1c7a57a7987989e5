"""Jobs as TOML: a table `[[job]]` for each, and `[defaults]` for what they share."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from facecli.client.batch.fields import JobReader, check_names
from facecli.client.batch.job import Job
from facecli.core.errors import InvalidInput

_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*job[ \t]*\]\]", re.MULTILINE)


def toml_jobs(text: str, reader: JobReader) -> Iterator[Job]:
    """The jobs of a TOML text; InvalidInput names the line."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with thousands of digits
        raise InvalidInput(f"not valid TOML: {error}") from error
    check_names(document, known=("job", "defaults"))
    shared, jobs = document.get("defaults", {}), document.get("job", [])
    if not isinstance(shared, dict):
        raise InvalidInput("[defaults] must be a table")
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise InvalidInput("write each job as a table [[job]]")
    try:
        check_names(shared)
    except InvalidInput as error:
        raise InvalidInput(f"[defaults]: {error.message}") from error
    for number, (fields, line) in enumerate(zip(jobs, _lines(text, jobs), strict=True), 1):
        where = f"line {line + _offset(text, line, fields)}" if line else ""
        yield reader.job(fields, number=number, where=where, shared=shared)


def _lines(text: str, jobs: list[Any]) -> list[int]:
    """The line of each job's header, for which the parser has no word; 0 if they cannot be told."""
    found = [text.count("\n", 0, match.start()) + 1 for match in _HEADER.finditer(text)]
    return found if len(found) == len(jobs) else [0] * len(jobs)


def _offset(text: str, line: int, fields: dict[str, Any]) -> int:
    """Lines from the header to the first field that a job does not have, 0 if it has none such."""
    try:
        check_names(fields)
    except InvalidInput:
        unknown = next(name for name in fields if _is_unknown(name))
        for offset, each in enumerate(text.split("\n")[line:], 1):
            if each.strip().strip("\"'").startswith(unknown):
                return offset
    return 0


def _is_unknown(name: str) -> bool:
    try:
        check_names([name])
    except InvalidInput:
        return True
    return False
