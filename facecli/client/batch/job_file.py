"""Job files: TOML, CSV or JSON lines, from a file or standard input."""

import codecs
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from facecli.client.batch.fields import JobReader
from facecli.client.batch.formats.csv import csv_jobs
from facecli.client.batch.formats.jsonl import jsonl_jobs
from facecli.client.batch.formats.toml import toml_jobs
from facecli.client.batch.job import MAX_JOBS, Job, JobDefaults
from facecli.client.input_file import named_path
from facecli.core.errors import InvalidInput
from facecli.core.printable import escaped

STDIN = "-"
MAX_SIZE = 16 * 1024 * 1024  # bytes


class Format(StrEnum):
    TOML = "toml"
    CSV = "csv"
    JSONL = "jsonl"


_PARSERS: dict[Format, Callable[[str, JobReader], Iterator[Job]]] = {
    Format.TOML: toml_jobs,
    Format.CSV: csv_jobs,
    Format.JSONL: jsonl_jobs,
}


def read_jobs(name: str, *, stdin: BinaryIO, format: Format | None, defaults: JobDefaults) -> list[Job]:
    """The jobs of a file, or of standard input for `-`; the format is that of the name unless it is given.

    Relative paths are below the directory of the file. InvalidInput names the file and the line.
    """
    path = named_path(name, placeholder="JOBS")
    shown = "standard input" if name == STDIN else escaped(name)
    parse = _PARSERS[format or _format_of(path, shown)]
    text = _text(_bytes(None if name == STDIN else path, shown, stdin), shown)
    try:
        jobs = list(islice(parse(text, JobReader(base_of(name), defaults)), MAX_JOBS + 1))
    except InvalidInput as error:
        raise InvalidInput(f"{shown}: {error.message}") from error
    if len(jobs) > MAX_JOBS:
        raise InvalidInput(f"{shown} has more than {MAX_JOBS} jobs; split it")
    if not jobs:
        raise InvalidInput(f"{shown} has no jobs")
    return jobs


def base_of(name: str) -> Path:
    """The directory that paths in a job file are relative to."""
    return Path() if name == STDIN else Path(name).parent


def _format_of(path: Path, shown: str) -> Format:
    try:
        return Format(path.suffix[1:].lower())
    except ValueError:
        raise InvalidInput(
            f"cannot tell the format of {shown} by its name; pass --format {', '.join(Format)}"
        ) from None


def _bytes(path: Path | None, shown: str, stdin: BinaryIO) -> bytes:
    try:
        if path is None:
            data = stdin.read(MAX_SIZE + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MAX_SIZE + 1)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {shown}: {getattr(error, 'strerror', error)}") from error
    if len(data) > MAX_SIZE:
        raise InvalidInput(f"{shown} is larger than {MAX_SIZE // 1024**2} MiB; split it")
    return data


def _text(data: bytes, shown: str) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
        raise InvalidInput(f"{shown} is not in UTF-8 but perhaps in UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{shown}: line {line} is not in UTF-8; save the file as UTF-8") from error
    return text.replace("\r\n", "\n")
