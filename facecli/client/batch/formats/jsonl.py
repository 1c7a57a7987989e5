"""Jobs as JSON lines: an object for each."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from facecli.client.batch.fields import JobReader
from facecli.client.batch.job import Job
from facecli.core.errors import InvalidInput


def jsonl_jobs(text: str, reader: JobReader) -> Iterator[Job]:
    """The jobs of a text of JSON lines; InvalidInput names the line."""
    number = 0
    for line, words in enumerate(text.split("\n"), 1):
        if not words.strip():
            continue
        number += 1
        yield reader.job(_object(words, line), number=number, where=f"line {line}")


def _object(words: str, line: int) -> dict[str, Any]:
    try:
        fields = json.loads(words, object_pairs_hook=_once, parse_constant=_refuse)
    except InvalidInput as error:
        raise InvalidInput(f"line {line}: {error.message}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"line {line}: not valid JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidInput(f'line {line}: a job must be an object such as {{"face": …, "video": …}}')
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise InvalidInput("a field is there twice")
    return fields


def _refuse(constant: str) -> NoReturn:
    raise InvalidInput(f"{constant} is no value")
