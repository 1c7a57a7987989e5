"""Options for the terms of a task: `--no-label` and `--consent`."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from facecli.core.errors import InvalidInput
from facecli.tasks.provenance.terms import Consent, Terms

MAX_TEXT = 64 * 1024  # characters of a consent on the command line

NoLabel = Annotated[
    str | None,
    typer.Option(
        "--no-label",
        metavar="REASON",
        help="Make the result without labels as AI-made; the server records who did and why, or refuses.",
        show_default=False,
    ),
]
ConsentOption = Annotated[
    str | None,
    typer.Option(
        "--consent",
        metavar="FILE|TEXT",
        help="Consent of the person whose face is used: only its SHA-256 is sent, and recorded.",
        show_default=False,
    ),
]


def stated_terms(no_label: str | None, consent: str | None) -> Terms:
    """The terms of a command line; InvalidInput for a file that cannot be read."""
    terms = Terms(waiver=no_label or "", consent=_consent(consent) if consent else None)
    terms.check()
    return terms


def _consent(value: str) -> Consent:
    path = Path(value)
    try:
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Consent(sha256=digest, kind="file", name=path.name)
    except OSError as error:
        raise InvalidInput(f"--consent {value}: {error.strerror}") from error
    if len(value) > MAX_TEXT or not value.strip():
        raise InvalidInput(f"--consent takes a file, or a text of at most {MAX_TEXT} characters")
    return Consent(sha256=hashlib.sha256(value.encode()).hexdigest(), kind="text")
