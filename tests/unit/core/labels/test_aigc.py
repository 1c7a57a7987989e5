"""The implicit label: a well-formed entry, and the reasons why others are none."""

import json

import pytest

from facecli.core.errors import InvalidInput
from facecli.core.labels.aigc import AigcEntry, in_comment, metadata

ENTRY = AigcEntry.made_by(producer="P" * 27, produce_id="a1b2")


def test_an_entry_is_json_of_strings_in_visible_ascii_without_spaces() -> None:
    fields = json.loads(ENTRY.text)
    assert fields["Label"] == "1"
    assert (fields["ContentProducer"], fields["ProduceID"]) == ("P" * 27, "a1b2")
    assert set(fields) == {
        *("Label", "ContentProducer", "ProduceID", "ReservedCode1"),
        *("ContentPropagator", "PropagateID", "ReservedCode2"),
    }
    assert all(0x21 <= ord(character) <= 0x7E for character in ENTRY.text)
    assert AigcEntry.parse(ENTRY.text) == ENTRY


def test_the_comment_keeps_the_entry_and_that_of_the_input() -> None:
    other = AigcEntry.made_by(producer="other", produce_id="7")
    written = metadata(ENTRY, of_input=other)
    assert list(written) == ["AIGC", "comment"]
    assert in_comment(written["comment"]) == ENTRY.text
    assert other.text in written["comment"]
    assert in_comment(f"a holiday {written['comment']}") == ENTRY.text
    assert in_comment("AIGC is fun") == ""


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Label": "4"}, "Label"),
        ({"Label": 1}, "Label"),
        ({"ProduceID": ""}, "ProduceID"),
        ({"ContentProducer": "a b"}, "ContentProducer"),
        ({"ContentProducer": "影"}, "ContentProducer"),
        ({"ReservedCode1": "x" * 301}, "ReservedCode1"),
    ],
)
def test_a_wrong_field_is_named(changed: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        AigcEntry.parse(json.dumps({**ENTRY.fields, **changed}))


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", "{" * 3000, "x" * 5000])
def test_text_without_an_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        AigcEntry.parse(text)
