"""The terms of a task as a user states them: a reason, and a file or a text."""

import hashlib
import os
import re
from os import PathLike
from pathlib import Path

from facecli.core.errors import InvalidInput
from facecli.core.printable import escaped
from facecli.tasks.provenance.terms import Consent, Terms

MAX_TEXT = 64 * 1024  # characters of a consent that is a text
_FILE_NAME = re.compile(r"\S*[/\\]\S*|\S*\.[A-Za-z0-9]{1,5}")


def stated_terms(no_label: str | None, consent: str | PathLike[str] | None) -> Terms:
    """Terms with the hash of a consent; InvalidInput for a file that cannot be read.

    `consent` is a file, or as a str also a text. A str that looks like the name of a file must be one.
    """
    terms = Terms(waiver=no_label or "", consent=_consent(consent) if consent else None)
    terms.check()
    return terms


def _consent(value: str | PathLike[str]) -> Consent:
    path = Path(value)
    shown = escaped(str(value)[:200])
    try:
        if not isinstance(value, str) or os.path.isfile(value):  # noqa: PTH113  (false for a long text)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Consent(sha256=digest, kind="file", name=path.name)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"consent {shown}: {getattr(error, 'strerror', None) or error}") from error
    if os.path.isdir(value):  # noqa: PTH112
        raise InvalidInput(f"consent {shown} is a directory; name a file, or write a text")
    if _FILE_NAME.fullmatch(value.strip()):
        raise InvalidInput(f"there is no file {shown}; as a text, a consent has more than one word")
    if len(value) > MAX_TEXT or not value.strip():
        raise InvalidInput(f"a consent is a file, or a text of at most {MAX_TEXT} characters")
    return Consent(sha256=hashlib.sha256(value.encode()).hexdigest(), kind="text")
