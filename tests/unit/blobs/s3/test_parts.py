"""Parts on their way to a bucket: checked against what arrived, and never waiting for each other."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from facecli.blobs.s3.bucket import Bucket
from facecli.blobs.s3.clients import connect, is_protected
from facecli.blobs.s3.location import S3Location
from facecli.blobs.s3.pieces import Piece
from facecli.blobs.s3.sender import PartSender
from facecli.blobs.s3.staged import S3StagedBlob, md5_of
from facecli.core.blobs import PartLayout
from facecli.core.errors import FacecliError
from tests.support.blobs.s3_servers import S3Server

KEY = "uploads/u1"
PIECES: list[Piece] = [b"0123", memoryview(b"4567"), b"89"]
DATA = b"0123456789"


@contextmanager
def hooked(bucket: Bucket, event: str, hook: Callable[..., Any]) -> Iterator[None]:
    """Call `hook` at this event of botocore, for requests that upload a part."""
    events = bucket._client.meta.events
    events.register_last(f"{event}.s3.UploadPart", hook)
    try:
        yield
    finally:
        events.unregister(f"{event}.s3.UploadPart", hook)


def send(bucket: Bucket) -> str:
    upload = bucket.create_upload(KEY)
    etag = bucket.upload_part(KEY, upload, 1, PIECES, md5_of(DATA))
    bucket.complete_upload(KEY, upload, [(1, etag)])
    return b"".join(bucket.get(KEY, offset=0, block=100)).decode()


class Damage:
    """Changes the first byte of the first `times` bodies, and keeps the Content-MD5 of each request."""

    def __init__(self, times: int) -> None:
        self._times = times
        self.sums = list[str]()

    def __call__(self, request: Any, **_: object) -> None:
        self.sums.append(request.headers.get("Content-MD5", ""))
        if len(self.sums) <= self._times:
            request.body = b"x" + DATA[1:]


@pytest.mark.parametrize("times", [0, 1], ids=["undamaged", "damaged"])
def test_a_part_that_is_damaged_on_its_way_is_sent_again_with_its_md5(moto: S3Server, times: int) -> None:
    bucket, damage = moto.bucket(), Damage(times)
    with hooked(bucket, "before-send", damage):
        assert send(bucket) == DATA.decode()
    assert [bool(md5) for md5 in damage.sums] == [False, True][: 1 + times]


def test_a_part_that_is_always_damaged_on_its_way_is_refused(rclone: S3Server) -> None:
    bucket = rclone.bucket()
    with hooked(bucket, "before-send", Damage(9)), pytest.raises(FacecliError, match="UploadPart in bucket"):
        send(bucket)


def test_a_bucket_whose_etags_are_no_md5_sums_compares_the_md5_itself(moto: S3Server) -> None:
    bucket = moto.bucket()
    sums = list[str]()

    def encrypt(http_response: Any, parsed: dict[str, Any], **_: object) -> None:
        sums.append(parsed["ETag"])
        parsed["ETag"] = '"of the encrypted bytes"'

    sent = list[str]()
    with (
        hooked(bucket, "after-call", encrypt),
        hooked(
            bucket, "before-send", lambda request, **_: sent.append(request.headers.get("Content-MD5", ""))
        ),
    ):
        for _ in range(2):
            bucket.upload_part(KEY, bucket.create_upload(KEY), 1, PIECES, md5_of(DATA))
    assert not bucket.md5_etags
    assert [bool(md5) for md5 in sent] == [False, True, True]
    assert set(sums) == {f'"{md5_of(DATA)}"'}


def test_a_part_that_the_store_keeps_waiting_does_not_keep_others(
    moto: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = moto.bucket()
    answered, upload_part = threading.Event(), bucket.upload_part

    def slow(key: str, upload: str, number: int, *rest: Any) -> str:
        if number == 1:
            assert answered.wait(60)
        return upload_part(key, upload, number, *rest)

    monkeypatch.setattr(bucket, "upload_part", slow)
    blob = S3StagedBlob(
        bucket,
        KEY,
        PartLayout(part_size=4, count=2, size=8),
        upload=bucket.create_upload(KEY),
        sender=PartSender(),
        doubtful=False,
    )
    writers = [blob.part(index, replaces=None) for index in range(2)]
    tokens = []
    for writer in writers:
        writer.write(b"0123")
        tokens.append(writer.finish() or "")
    blob.sync(tokens[1:])
    first, second = (writer.sending for writer in writers)
    assert first
    assert second
    assert second.done()
    assert not first.done()
    answered.set()
    blob.sync(tokens)
    assert first.done()


@pytest.mark.parametrize(
    ("endpoint", "proxy", "protected"),
    [
        ("https://s3.example", "", True),
        ("https://s3.example", "http://proxy.example:3128", True),
        ("http://s3.example", "", False),
        ("http://127.0.0.1:9000", "", True),
        ("http://localhost:9000", "", True),
        ("http://[::1]:9000", "", True),
        ("http://127.0.0.1:9000", "http://proxy.example:3128", False),
        ("http://127.0.0.1.example:9000", "", False),
    ],
)
def test_a_body_is_signed_where_somebody_on_the_way_could_change_it(
    endpoint: str, proxy: str, protected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if proxy:
        monkeypatch.setenv("http_proxy", proxy)
    assert is_protected(endpoint) == protected


class RequestSeenError(Exception):
    """Ends a request before it is sent."""


@pytest.mark.parametrize(
    ("endpoint", "signature"),
    [
        ("http://127.0.0.1:9", "UNSIGNED-PAYLOAD"),
        ("https://s3.example", "UNSIGNED-PAYLOAD"),
        ("http://s3.example", hashlib.sha256(DATA).hexdigest()),
    ],
)
def test_a_part_is_sent_at_once_and_signed_where_nothing_else_protects_it(
    moto: S3Server, endpoint: str, signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    moto.configure(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    bucket = Bucket(S3Location.parse("s3://films/facecli"), connect("films"))
    seen = dict[str, str]()

    def look(request: Any, **_: object) -> None:
        seen.update({name.lower(): _text(value) for name, value in request.headers.items()})
        raise RequestSeenError

    with hooked(bucket, "before-send", look), pytest.raises(RequestSeenError):
        bucket.upload_part(KEY, "upload", 1, PIECES, md5_of(DATA))
    assert seen["x-amz-content-sha256"] == signature
    assert "expect" not in seen


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
