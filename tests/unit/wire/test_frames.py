"""The frame codec agrees with the generated protobuf class on every message."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from facecli.core.checksums import crc32c
from facecli.core.errors import InvalidInput
from facecli.uploads.upload import Frame
from facecli.wire.frames import decode, encode, frame
from facecli.wire.generated.video_service_pb2 import UploadRequest

checksums = st.none() | st.integers(0, 2**32 - 1)
messages = st.builds(
    UploadRequest,
    user_id=st.text(),
    file_name=st.text(),
    chunk=st.binary(max_size=300),
    chunk_index=st.integers(-(2**31), 2**31 - 1),
    total_chunks=st.integers(0, 2**31 - 1),
    file_type=st.text(),
    upload_id=st.text(),
    offset=st.integers(-(2**63), 2**63 - 1),
    file_size=st.integers(0, 2**63 - 1),
    chunk_crc32c=checksums,
)
# A field that this version does not know, of every wire type.
unknown = st.sampled_from(
    [b"\xa0\x06\x96\x01", b"\xa1\x06" + bytes(8), b"\xa2\x06\x02hi", b"\xa5\x06" + bytes(4)]
)


def without_chunk(message: UploadRequest) -> UploadRequest:
    rest = UploadRequest()
    rest.CopyFrom(message)
    rest.ClearField("chunk")
    return rest


@pytest.mark.slow
@given(
    offset=st.integers(0, 2**63 - 1),
    data=st.binary(max_size=300),
    checksum=checksums,
    upload_id=st.text(),
    user=st.text(),
)
def test_encoded_messages_are_plain_protobuf(
    offset: int, data: bytes, checksum: int | None, upload_id: str, user: str
) -> None:
    sent = Frame(offset=offset, data=data, chunk_crc32c=checksum)
    read = UploadRequest.FromString(encode(sent, upload_id=upload_id, user=user))
    assert (read.offset, read.chunk, read.upload_id, read.user_id) == (offset, data, upload_id, user)
    assert (read.chunk_crc32c if read.HasField("chunk_crc32c") else None) == checksum


@given(message=messages, before=unknown, after=unknown | st.just(b""))
def test_messages_of_any_client_are_decoded(message: UploadRequest, before: bytes, after: bytes) -> None:
    rest, payload = decode(before + message.SerializeToString() + after)
    expected = UploadRequest.FromString(before + without_chunk(message).SerializeToString() + after)
    assert rest.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)
    assert (payload.data, payload.crc32c) == (message.chunk, crc32c(message.chunk))


@given(offset=st.integers(0, 2**63 - 1), data=st.binary(max_size=300), checksum=checksums)
def test_a_frame_survives_encoding_and_decoding(offset: int, data: bytes, checksum: int | None) -> None:
    sent = Frame(
        offset=offset,
        data=data,
        crc32c=crc32c(data),
        chunk_crc32c=checksum,
        ends_chunk=checksum is not None,
    )
    message, payload = decode(encode(sent, upload_id="u", user="ann"))
    assert frame(message, payload) == sent


def test_the_last_of_two_payloads_counts_as_in_protobuf() -> None:
    twice = (
        UploadRequest(chunk=b"first").SerializeToString() + UploadRequest(chunk=b"second").SerializeToString()
    )
    message, payload = decode(twice)
    assert payload.data == UploadRequest.FromString(twice).chunk
    assert not message.chunk


@given(data=st.binary(max_size=60))
def test_messages_that_protobuf_refuses_are_refused(data: bytes) -> None:
    try:
        expected = UploadRequest.FromString(data).chunk
    except DecodeError:
        with pytest.raises(InvalidInput):
            decode(data)
    else:
        try:
            assert decode(data)[1].data == expected
        except InvalidInput:
            assert any(byte & 7 in (3, 4) for byte in data), "only groups, which no field of ours is"


@given(message=messages, cut=st.integers(1, 20))
def test_a_truncated_message_is_refused(message: UploadRequest, cut: int) -> None:
    whole = message.SerializeToString()
    short = whole[: max(0, len(whole) - cut)]
    try:
        UploadRequest.FromString(short)
    except DecodeError:
        with pytest.raises(InvalidInput):
            decode(short)


@given(message=messages, changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6))
def test_a_damaged_message_is_decoded_as_by_protobuf_or_refused(
    message: UploadRequest, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(message.SerializeToString())
    for at, byte in changes if data else []:
        data[at % len(data)] = byte
    try:
        rest, payload = decode(bytes(data))
    except InvalidInput:
        return
    theirs = UploadRequest.FromString(bytes(data))
    expected = without_chunk(theirs).SerializeToString(deterministic=True)
    assert (payload.data, payload.crc32c) == (theirs.chunk, crc32c(theirs.chunk))
    assert rest.SerializeToString(deterministic=True) == expected


def test_the_payload_is_a_view_and_not_a_copy() -> None:
    data = encode(Frame(offset=0, data=bytes(1000)), upload_id="u", user="ann")
    payload = decode(data)[1].data
    assert isinstance(payload, memoryview)
    assert payload.obj is data
