"""Files over HTTP: whole, in parts, under any name, and only to their owners."""

import re
from pathlib import Path
from urllib.parse import quote

import grpc
import pytest

from facecli.core.checksums import crc32c
from tests.support.eventually import eventually
from tests.support.web.http_client import ask, raw, received, until
from tests.support.web.shop import DATA, Shop
from tests.unit.rpc.conftest import Stubs, bearing
from tests.unit.web.conftest import ServeHttp

SIZE = len(DATA)
TAG = f'"{crc32c(DATA):08x}-{SIZE:x}"'


def test_a_file_comes_whole_with_what_a_client_needs_to_keep_and_check_it(shop: Shop) -> None:
    answer = shop.get(shop.urls["ann"])
    assert (answer.status, answer.body) == (200, DATA)
    headers = answer.headers
    assert (headers["content-type"], headers["content-length"]) == ("video/mp4", str(SIZE))
    assert (headers["accept-ranges"], headers["etag"]) == ("bytes", TAG)
    assert headers["content-disposition"].startswith('attachment; filename="clip.mp4"')
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    head = shop.get(shop.urls["ann"], method="HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, str(SIZE), b"")
    ranged = shop.get(shop.urls["ann"], method="HEAD", range="bytes=0-1")
    assert (ranged.status, ranged.headers["content-length"]) == (200, str(SIZE))


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("Bytes=100-199", 100, 199),
        ("bytes=2500-", 2500, SIZE - 1),
        ("bytes=-10", SIZE - 10, SIZE - 1),
        ("bytes=0-99999999", 0, SIZE - 1),
        ("bytes=-99999999", 0, SIZE - 1),
    ],
)
def test_a_range_comes_as_it_was_asked_for(shop: Shop, wanted: str, first: int, last: int) -> None:
    answer = shop.get(shop.urls["ann"], range=wanted)
    assert (answer.status, answer.body) == (206, DATA[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=5-2", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,5-6", "lines=0-1", "bytes=1" + "0" * 30 + "-"],
)
def test_anything_that_is_not_one_range_counts_as_none(shop: Shop, wanted: str) -> None:
    answer = shop.get(shop.urls["ann"], range=wanted)
    assert (answer.status, answer.body) == (200, DATA)


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", "bytes=9999999999999999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_size(shop: Shop, wanted: str) -> None:
    answer = shop.get(shop.urls["ann"], range=wanted)
    assert (answer.status, answer.reason) == (416, "INVALID_INPUT")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


def test_a_client_that_has_the_file_or_another_version_gets_what_it_needs(shop: Shop) -> None:
    url = shop.urls["ann"]
    for tag in (TAG, f"W/{TAG}", "*", f'"x", {TAG}'):
        unchanged = shop.get(url, if_none_match=tag)
        assert (unchanged.status, unchanged.body, unchanged.headers["etag"]) == (304, b"", TAG)
    assert shop.get(url, if_none_match='"x"').status == 200
    for tag in (TAG, "*", f'"x", {TAG}'):
        assert shop.get(url, if_match=tag, range="bytes=0-1").status == 206
    for tag in ('"x"', f"W/{TAG}", ""):
        another = shop.get(url, if_match=tag)
        assert (another.status, another.reason, another.headers["etag"]) == (412, "INVALID_INPUT", TAG)
    assert shop.get(url, range="bytes=0-1", if_range=TAG).body == DATA[:2]
    assert shop.get(url, range="bytes=0-1", if_range='"x"').body == DATA


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("clip.mp4", "video/mp4"),
        ("page.html", "application/octet-stream"),
        ("picture.svg", "application/octet-stream"),
        ('a"b;c\\d.png', "image/png"),
        ("人脸 😀.webm", "video/webm"),
        ("x" * 251 + ".mp4", "video/mp4"),
        ("%2e%2e", "application/octet-stream"),
    ],
)
def test_a_download_has_its_name_and_no_type_that_a_browser_runs(shop: Shop, name: str, kind: str) -> None:
    with bearing(shop.server.address, shop.secrets["ann"]) as stubs:
        url = stubs.stored(b"<script>alert(1)</script>", user="", name=name)
    answer = shop.get(url)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    plain, _, starred = answer.headers["content-disposition"].rpartition("; ")
    assert starred == f"filename*=UTF-8''{quote(name, safe='')}"
    assert re.fullmatch(r'attachment; filename="[\w .()+-]*"', plain, re.ASCII)


@pytest.mark.parametrize(
    "path",
    [
        "/uploads/../facecli.db",
        "/uploads/..%2f..%2ffacecli.db",
        "/uploads//etc/passwd",
        f"/uploads/{'0' * 32}",
        f"/uploads/{'0' * 32}/a/b",
        f"/uploads/{'g' * 32}/a",
        f"/uploads/{'0' * 32}/",
        f"/outputs/{'0' * 31}%30/a.mp4",
        "/uploads/%00",
    ],
)
def test_a_path_that_is_no_file_leads_nowhere(shop: Shop, path: str) -> None:
    answer = shop.get(path)
    assert (answer.status, answer.reason) == (404, "NOT_FOUND")


def test_other_methods_are_refused(shop: Shop) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert shop.get(shop.urls["ann"], method=method).status == 405


def test_a_file_of_another_user_looks_like_an_unknown_one(shop: Shop) -> None:
    theirs, unknown = shop.get(shop.urls["bob"]), shop.get(f"/uploads/{'0' * 32}/clip.mp4")
    assert (theirs.status, theirs.reason) == (unknown.status, unknown.reason) == (404, "UPLOAD_NOT_FOUND")
    assert shop.get(shop.urls["bob"], "root").status == 200, "an admin reads everything"


def test_no_token_and_a_wrong_one_are_refused_before_the_file_is_looked_up(shop: Shop) -> None:
    for path in (shop.urls["ann"], f"/uploads/{'0' * 32}/clip.mp4"):
        missing = shop.get(path, user="")
        wrong = shop.get(path, user="", authorization=f"Bearer fc_{'0' * 16}_{'0' * 64}")
        assert {(each.status, each.reason) for each in (missing, wrong)} == {(401, "UNAUTHENTICATED")}
        assert missing.headers["www-authenticate"] == "Bearer"


def test_an_unfinished_upload_is_not_ready(shop: Shop) -> None:
    with bearing(shop.server.address, shop.secrets["ann"]) as stubs:
        upload_id = stubs.begin(user="")
    answer = shop.get(f"/uploads/{upload_id}/clip.mp4")
    assert (answer.status, answer.reason) == (409, "UPLOAD_UNFINISHED")
    assert answer.json["error"]["hint"]


def test_a_damaged_file_never_arrives_whole(serve_http: ServeHttp, tmp_path: Path) -> None:
    with serve_http() as server, grpc.insecure_channel(server.address) as channel:
        url = Stubs(channel).stored(DATA)
        (blob,) = [path for path in (tmp_path / "data" / "uploads").rglob("*") if path.is_file()]
        blob.write_bytes(b"\xff" + DATA[1:])
        with raw(server.http, f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()) as connection:
            head = until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")[0]
            body = received(connection)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert len(body) < SIZE


def test_a_client_that_does_not_read_loses_its_download(serve_http: ServeHttp) -> None:
    with serve_http(idle_limit=0.3, min_rate=0, max_downloads=1) as server:
        with grpc.insecure_channel(server.address) as channel:
            url = Stubs(channel).stored(bytes(15_000_000))
        with raw(server.http, f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()):
            eventually(lambda: ask(server.http, url).status == 200)
