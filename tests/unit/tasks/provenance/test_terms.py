"""Waivers and consents under every policy."""

import pytest

from facecli.core.errors import FacecliError, InvalidInput, PolicyRefused
from facecli.core.labels.labels import LabelFrames, LabelPolicy, Labels, LabelText
from facecli.tasks.provenance.terms import NO_TERMS, Consent, LabelRules, Terms

LABELS = Labels(producer="p", text=LabelText.ENGLISH, frames=LabelFrames.OPENING)
WAIVED = Terms(waiver="a test of ours", by="ann")
AGREED = Terms(consent=Consent(sha256="0" * 64), by="ann")


@pytest.mark.parametrize(
    ("policy", "terms", "outcome"),
    [
        (LabelPolicy.REQUIRED, NO_TERMS, LABELS),
        (LabelPolicy.REQUIRED, WAIVED, PolicyRefused),
        (LabelPolicy.DEFAULT, NO_TERMS, LABELS),
        (LabelPolicy.DEFAULT, WAIVED, None),
        (LabelPolicy.OFF, NO_TERMS, None),
        (LabelPolicy.OFF, WAIVED, None),
    ],
)
def test_the_policy_decides_who_gets_labels(
    policy: LabelPolicy, terms: Terms, outcome: Labels | type[FacecliError] | None
) -> None:
    rules = LabelRules(policy=policy, labels=LABELS)
    if isinstance(outcome, type):
        with pytest.raises(outcome, match="--no-label"):
            rules.check(terms)
    else:
        rules.check(terms)
        assert rules.labels_under(terms) == outcome


@pytest.mark.parametrize("policy", LabelPolicy)
def test_a_required_consent_is_required_under_every_policy(policy: LabelPolicy) -> None:
    rules = LabelRules(policy=policy, labels=LABELS, consent_required=True)
    rules.check(AGREED)
    with pytest.raises(PolicyRefused, match="--consent"):
        rules.check(NO_TERMS)


@pytest.mark.parametrize(
    "terms",
    [
        Terms(waiver="x" * 501),
        Terms(waiver="  "),
        Terms(consent=Consent(sha256="F" * 64)),
        Terms(consent=Consent(sha256="0" * 63)),
        Terms(consent=Consent(sha256="0" * 64, kind="oath")),
        Terms(consent=Consent(sha256="0" * 64, kind="file", name="n" * 256)),
    ],
)
def test_terms_that_cannot_be_stored_are_refused(terms: Terms) -> None:
    with pytest.raises(InvalidInput):
        terms.check()


@pytest.mark.parametrize("terms", [NO_TERMS, WAIVED, AGREED])
def test_terms_come_back_from_json(terms: Terms) -> None:
    assert Terms.from_json(terms.as_json()) == terms
