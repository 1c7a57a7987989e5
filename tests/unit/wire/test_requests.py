"""Any request is accepted or refused with a readable message."""

import unicodedata
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facecli.core.errors import InvalidInput
from facecli.engines.mock import MockEngine
from facecli.media.ffmpeg import FfmpegMedia
from facecli.uploads.names import MAX_NAME_BYTES, checked_name
from facecli.uploads.upload import MAX_CHUNK_SIZE, MAX_CHUNKS, Upload, upload_id_of
from facecli.wire import uploads as wire
from facecli.wire.generated.upload_service_pb2 import BeginUploadRequest

# Text that a protobuf string can hold: any but half a surrogate pair.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
nasty = st.sampled_from(
    [*("", ".", "..", "../x", "a/b", "a\0b", "a\nb", "\x1b[2J", "\u202ea"), "x" * 256, "é" * 128]
)
sizes = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 10**6)
requests = st.builds(
    BeginUploadRequest,
    user_id=texts,
    name=texts | nasty,
    file_type=st.sampled_from(["video", "image"]) | texts,
    size=sizes,
    chunk_size=st.integers(-(2**31), 2**31 - 1) | st.integers(-2, 10**6),
    fingerprint=st.none() | st.integers(0, 2**32 - 1),
)


def accepted(check: Callable[[], object]) -> bool:
    """Whether a check accepts; a refusal must be one printable line."""
    try:
        check()
    except InvalidInput as error:
        assert not [c for c in error.message if unicodedata.category(c) in {"Cc", "Zl", "Zp"}]
        return False
    return True


@given(request=requests)
def test_an_accepted_upload_can_become_a_file(request: BeginUploadRequest) -> None:
    if not accepted(lambda: wire.new_upload(request, owner=request.user_id)):
        return
    new = wire.new_upload(request, owner=request.user_id)
    assert 0 < new.chunk_size <= MAX_CHUNK_SIZE
    assert 0 < new.total_chunks <= MAX_CHUNKS
    assert (
        new.size and (new.total_chunks - 1) * new.chunk_size < new.size <= new.total_chunks * new.chunk_size
    )
    upload = Upload.begun(new, upload_id="0" * 32, blob_key="uploads/x", now=0, expires_at=1)
    assert sum(upload.chunk_length(index) or 0 for index in (0, new.total_chunks - 1)) > 0
    assert upload_id_of(upload.file_url) == upload.id
    assert unquote(upload.file_url.rsplit("/", 1)[1]) == new.name


@given(name=texts | nasty)
@example("a\u2028b")
def test_an_accepted_name_is_no_path_and_one_line(name: str) -> None:
    if accepted(lambda: checked_name(name)):
        kept = checked_name(name)
        assert checked_name(kept) == kept
        assert 0 < len(kept.encode()) <= MAX_NAME_BYTES
        assert not set(kept) & set("/\0\n\r\x1b\u202e\u2028\u2029\x85")
        assert kept not in {".", ".."}


@given(url=texts | st.lists(texts, max_size=6).map("/".join) | texts.map(lambda id: f"/uploads/{id}/x"))
def test_any_text_is_a_file_url_or_refused(url: str) -> None:
    if accepted(lambda: upload_id_of(url)):
        assert "/" not in upload_id_of(url)


@pytest.fixture(scope="module")
def engine() -> MockEngine:
    return MockEngine(FfmpegMedia())


numbers = st.floats().map(str) | st.integers().map(str) | texts


@given(options=st.dictionaries(st.sampled_from(["delay", "fail_at"]) | texts, numbers, max_size=3))
def test_any_options_are_accepted_or_refused(engine: MockEngine, options: dict[str, str]) -> None:
    if accepted(lambda: engine.check(options)):
        assert options.keys() <= {"delay", "fail_at"}
        assert all(0 <= float(value) <= 600 for value in options.values())
