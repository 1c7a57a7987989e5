"""Terms of a task: the waiver of its labels, and the consent of the person whose face is used."""

import re
from dataclasses import asdict, dataclass
from typing import Any

from facecli.core.errors import InvalidInput, PolicyRefused
from facecli.core.labels.labels import LabelPolicy, Labels

MAX_REASON = 500  # characters
MAX_NAME = 255  # characters
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A document or a text that somebody else keeps; a task has its hash alone."""

    sha256: str
    kind: str = "text"  # or `file`
    name: str = ""  # of the file

    def check(self) -> None:
        if not _SHA256.fullmatch(self.sha256) or self.kind not in {"file", "text"}:
            raise InvalidInput("a consent is the sha256, in 64 hex digits, of a `file` or a `text`")
        if len(self.name) > MAX_NAME:
            raise InvalidInput(f"the name of a consent has at most {MAX_NAME} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`waiver` is the reason why the result gets no labels, empty for labels; `by` who declared all this."""

    waiver: str = ""
    consent: Consent | None = None
    by: str = ""

    @classmethod
    def from_json(cls, values: Any) -> "Terms":
        consent = values.get("consent")
        return cls(**{**values, "consent": Consent(**consent) if consent else None})

    def as_json(self) -> dict[str, Any]:
        """Only what was declared."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def content(self) -> tuple[str, Consent | None]:
        """The fields that distinguish one request from another."""
        return self.waiver, self.consent

    def check(self) -> None:
        """InvalidInput for terms that cannot be stored."""
        if len(self.waiver) > MAX_REASON:
            raise InvalidInput(f"the reason of a waiver has at most {MAX_REASON} characters")
        if self.waiver and not self.waiver.strip():
            raise InvalidInput("the waiver of labels needs a reason")
        if self.consent:
            self.consent.check()


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRules:
    """A server's rules: which labels results get, who may waive them, and whether consent is required."""

    policy: LabelPolicy
    labels: Labels
    consent_required: bool = False

    def labels_under(self, terms: Terms) -> Labels | None:
        """The labels of a task with these terms; None for none."""
        return None if self.policy is LabelPolicy.OFF or terms.waiver else self.labels

    def check(self, terms: Terms) -> None:
        """PolicyRefused, with the argument in `field`, for terms against the rules."""
        terms.check()
        if terms.waiver and self.policy is LabelPolicy.REQUIRED:
            raise PolicyRefused(
                "this server labels every result; its policy allows no waiver (--no-label)", field="no_label"
            )
        if self.consent_required and not terms.consent:
            raise PolicyRefused(
                "this server requires the consent of the person whose face is used: --consent FILE|TEXT "
                "records its hash with the task",
                field="consent",
            )
