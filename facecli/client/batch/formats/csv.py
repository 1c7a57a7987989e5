"""Jobs as CSV: a header with the names of the fields, and a row for each job.

A column `option.NAME` has the values of an engine option. An empty value is the default.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from facecli.client.batch.fields import FIELDS, JobReader, check_names
from facecli.client.batch.job import Job
from facecli.core.errors import InvalidInput

OPTION = "option."  # beginning of a column's name
_COLUMNS = tuple(name for name in FIELDS if name != "options")


def csv_jobs(text: str, reader: JobReader) -> Iterator[Job]:
    """The jobs of a CSV text; InvalidInput names the line."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    header, number = list[str](), 0
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise InvalidInput(f"line {rows.line_num}: not valid CSV: {error}") from error
        if row is None:
            break
        if not any(value.strip() for value in row):
            continue
        if not header:
            header = _header(row, line)
            continue
        number += 1
        if len(row) != len(header):
            raise InvalidInput(f"line {line}: {len(row)} values for the {len(header)} columns of the header")
        yield reader.job(_fields(header, row), number=number, where=f"line {line}")
    if not header:
        raise InvalidInput("it has no header; begin it with the line face,video,output")


def _header(row: Sequence[str], line: int) -> list[str]:
    header = [name.strip() for name in row]
    try:
        check_names((name for name in header if not name.startswith(OPTION)), known=_COLUMNS)
    except InvalidInput as error:
        raise InvalidInput(f"line {line}: {error.message}") from error
    if twice := [name for name in header if header.count(name) > 1]:
        raise InvalidInput(f"line {line}: the column {twice[0]} is there twice")
    return header


def _fields(header: Sequence[str], row: Sequence[str]) -> dict[str, Any]:
    given = {name: value for name, value in zip(header, row, strict=True) if value != ""}
    options = {name[len(OPTION) :]: value for name, value in given.items() if name.startswith(OPTION)}
    fields = {name: value for name, value in given.items() if not name.startswith(OPTION)}
    return {**fields, "options": options}
