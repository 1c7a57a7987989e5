"""The implicit label in the metadata that ffmpeg prints."""

import pytest

from facecli.core.labels.aigc import AigcEntry, metadata
from facecli.core.labels.findings import State
from facecli.media.labels.metadata import entry_of, implicit_finding, parse_metadata

ENTRY = AigcEntry.made_by(producer="studio", produce_id="a1")
OTHER = AigcEntry.made_by(producer="other", produce_id="a1")
ENTRIES = {name.lower(): value for name, value in metadata(ENTRY).items()}


@pytest.mark.parametrize(
    ("found", "state", "about"),
    [
        (ENTRIES, State.PRESENT, "the metadata entry AIGC says that it is AI-made; producer studio"),
        ({"comment": ENTRIES["comment"]}, State.PRESENT, "only the comment, as after a remux"),
        ({"aigc": ENTRIES["aigc"]}, State.PRESENT, "producer studio"),
        ({"comment": "AIGC is great"}, State.MISSING, "no metadata entry"),
        ({"aigc": ENTRIES["aigc"].replace('"1"', '"!"')}, State.DAMAGED, "Label"),
        ({**ENTRIES, "aigc": OTHER.text}, State.DAMAGED, "differ"),
    ],
)
def test_an_entry_is_found_and_checked(found: dict[str, str], state: State, about: str) -> None:
    finding = implicit_finding(found)
    assert finding.state is state
    assert about in finding.about
    assert finding.says_ai is (state is State.PRESENT)
    assert entry_of(found) == (ENTRY if state is State.PRESENT else OTHER if "differ" in about else None)


def test_escapes_of_ffmetadata_cannot_forge_an_entry() -> None:
    text = ";FFMETADATA1\ntitle=a\\\nAIGC\\=x\\\\\ncomment={\\;\\#}\n[CHAPTER]\nAIGC=late\n"
    assert parse_metadata(text) == {"title": "a\nAIGC=x\\", "comment": "{;#}"}
    assert parse_metadata("no entry") == parse_metadata("") == {}
