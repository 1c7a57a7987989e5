"""Locations in S3, and tokens of parts: what comes from a setting or a row is checked."""

import pytest

from facecli.blobs.s3.location import S3Location
from facecli.blobs.s3.tokens import Home, Range, Spare, parse
from facecli.core.errors import InvalidInput, StorageFailed


@pytest.mark.parametrize(
    ("text", "bucket", "prefix"),
    [
        ("s3://films", "films", ""),
        ("s3://films/", "films", ""),
        ("s3://films/a/b/", "films", "a/b/"),
        ("s3://my.films-1/a", "my.films-1", "a/"),
    ],
)
def test_a_location_is_a_bucket_and_a_prefix(text: str, bucket: str, prefix: str) -> None:
    location = S3Location.parse(text)
    assert (location.bucket, location.prefix) == (bucket, prefix)
    assert str(location) == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    [
        "films",
        "s3:/films",
        "s3://",
        "s3://a",
        "s3://Films",
        "s3:///a",
        "s3://films/../b",
        "s3://films/a//b",
        "s3://films/a b",
        "s3://films/ä",
        "https://films/a",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="s3://"):
        S3Location.parse(text)


def test_credentials_are_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidInput, match="AWS_ACCESS_KEY_ID") as raised:
        S3Location.parse("s3://key:secret@films/a")
    assert "secret" not in raised.value.message


@pytest.mark.parametrize(
    "token", [Home(3, "ab", "2~u:1_x.y-z"), Spare("ab", "2-c0ffee"), Spare.new("ab", 7), Range(4)]
)
def test_a_token_says_where_its_part_is(token: Home | Spare | Range) -> None:
    assert parse(str(token)) == token


@pytest.mark.parametrize("token", ["", "0", "1048576", "p:x:ab:u", "p:1:ab", "o:", "q:1"])
def test_a_token_of_another_store_is_refused(token: str) -> None:
    with pytest.raises(StorageFailed, match="--blobs"):
        parse(token)
