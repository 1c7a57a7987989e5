"""Rules and sizes of uploads."""

import pytest

from facecli.core.errors import InvalidInput
from facecli.uploads.names import checked_name
from facecli.uploads.upload import MAX_CHUNK_SIZE, MAX_CHUNKS, NewUpload, upload_id_of
from tests.support.builders import upload as some_upload


@pytest.mark.parametrize(
    "name",
    [
        "clip.mp4",
        "a",
        "x" * 255,
        "é" * 127,
        "Ж日本語.mp4",
        ".hidden",
        "a b.mp4",
        "100%.mp4",
        "…",
        "🎬.mp4",
        "...",
        "Screenshot 10.32.07\u202fAM.png",  # of every macOS since 2022
        "no\u00a0break.png",
        "写真\u3000一.png",
        "👩\u200d🚀.png",
        "می\u200cخواهم.mp4",
        "שלום\u200f.mp4",
        "a\u200eb\u061c.mp4",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f.png",
        "soft\u00adhyphen\ufeff\ufe0f.png",
        "\ue000\u0378.png",  # private and unassigned
        "a\\b.mp4",
        "$(rm) `x` 'y' \"z\" *?.mp4",
        "-o.mp4",
    ],
)
def test_an_unusual_name_is_accepted(name: str) -> None:
    assert checked_name(name) == name


def test_a_name_is_normalized() -> None:
    assert checked_name("Zoe\u0308.mp4") == "Zo\u00eb.mp4"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "no name"),
        ("x" * 256, "longer than 255 bytes"),
        ("é" * 128, "longer than 255 bytes"),
        (".", "is a path"),
        ("..", "is a path"),
        ("a/b", "is a path"),
        ("/etc/passwd", "is a path"),
        ("a\0b", "control characters"),
        ("a\nb", "control characters"),
        ("a\x1b[31m", "control characters"),
        ("a\x7f", "control characters"),
        ("a\x85b", "control characters"),
        ("clip\u202egpj.exe", "control characters"),
        ("a\u2066b", "control characters"),
        ("a\u2028b", "control characters"),
        ("a\udce9b", "not valid UTF-8"),
    ],
)
def test_a_name_that_could_deceive_is_refused(name: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        checked_name(name)


def checked(**changes: object) -> NewUpload:
    asked = {"owner": "ann", "name": "a", "file_type": "image", "size": 25, "chunk_size": 10, **changes}
    return NewUpload.checked(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "chunk_size", "chunks"),
    [
        (1, 10, 1),
        (9, 10, 1),
        (10, 10, 1),
        (11, 10, 2),
        (1, 1, 1),
        (MAX_CHUNKS, 1, MAX_CHUNKS),
        (MAX_CHUNKS * MAX_CHUNK_SIZE, MAX_CHUNK_SIZE, MAX_CHUNKS),
        (2**31 - 1, 2**20, 2048),
        (2**31, 2**20, 2048),
        (2**31 + 1, 2**20, 2049),
    ],
)
def test_the_size_gives_the_number_of_chunks(size: int, chunk_size: int, chunks: int) -> None:
    assert checked(size=size, chunk_size=chunk_size).total_chunks == chunks
    assert checked(size=size, chunk_size=chunk_size, total_chunks=chunks).total_chunks == chunks


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"size": -1},
        {"size": 2**63 - 1},
        {"size": MAX_CHUNKS * 10 + 1},
        {"chunk_size": 0},
        {"chunk_size": -10},
        {"chunk_size": MAX_CHUNK_SIZE + 1},
        {"total_chunks": 2},
        {"total_chunks": 0},
        {"size": None},
        {"size": None, "total_chunks": 0},
        {"size": None, "total_chunks": -1},
        {"size": None, "total_chunks": MAX_CHUNKS + 1},
        {"file_type": "text"},
        {"file_type": ""},
        {"file_type": "IMAGE"},
        {"name": "a/b"},
    ],
)
def test_impossible_uploads_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        checked(**wrong)


@pytest.mark.parametrize(("index", "length"), [(0, 10), (1, 10), (2, 5)])
def test_only_the_last_chunk_is_shorter(index: int, length: int) -> None:
    assert some_upload().chunk_length(index) == length


def test_the_length_of_the_last_chunk_is_unknown_with_the_size() -> None:
    upload = some_upload(size=None)
    assert (upload.chunk_length(1), upload.chunk_length(2)) == (10, None)


@pytest.mark.parametrize("index", [-1, 3, 2**31 - 1, -(2**31)])
def test_an_index_outside_is_refused(index: int) -> None:
    with pytest.raises(InvalidInput, match=r"outside 0\.\.2"):
        some_upload().chunk_length(index)


@pytest.mark.parametrize("name", ["clip.mp4", "a b.mp4", "100%.mp4", "ä?#&.mp4", "日本.png"])
def test_a_file_url_leads_back_to_its_upload(name: str) -> None:
    upload = some_upload(name=name)
    assert upload_id_of(upload.file_url) == "u1"
    assert upload.file_url.isascii()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "u1",
        "/uploads",
        "/uploads/u1",
        "/uploads/u1/",
        "/uploads//clip.mp4",
        "uploads/u1/clip.mp4",
        "/outputs/u1/clip.mp4",
        "/uploads/u1/a/b",
        "http://host/uploads/u1/clip.mp4",
    ],
)
def test_an_invalid_file_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="is not a file_url"):
        upload_id_of(url)
