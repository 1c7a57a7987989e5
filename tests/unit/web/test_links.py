"""Signed links to files: who makes them, what they open, and how they end."""

import time
from pathlib import Path

import grpc
import pytest

from facecli.api.links import Links
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import upload_service_pb2 as pb
from tests.support.eventually import eventually
from tests.support.rpc.refusals import refused
from tests.support.web.http_client import ask
from tests.support.web.shop import DATA, Shop
from tests.unit.rpc.conftest import Stubs, bearing
from tests.unit.web.conftest import ServeHttp


def test_a_link_is_enough_to_get_the_file_and_only_it(shop: Shop) -> None:
    link = shop.link()
    answer = shop.get(link, user="", range="bytes=1-3")
    assert (answer.status, answer.body) == (206, DATA[1:4])
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    query = link.partition("?")[2]
    for path in (shop.urls["bob"], shop.urls["ann"] + "x"):
        assert shop.get(f"{path}?{query}", user="").status == 401
    assert shop.get(f"{link}x", user="").status == 401


def test_a_link_ends_at_its_time_and_says_so(shop: Shop) -> None:
    link = shop.link(seconds=1)
    eventually(lambda: shop.get(link, user="", method="HEAD").status == 401)
    error = shop.get(link, user="").json["error"]
    assert (error["reason"], error["message"]) == ("UNAUTHENTICATED", "this link has expired")
    assert (error["hint"], "details" in error) == ("ask its sender for a new one", False)
    tampered = shop.get(link.replace("link=W", "link=X"), user="").json["error"]
    assert tampered["message"] == "this link is not valid", "an expiry that nobody signed"


def test_a_link_ends_with_its_token_and_with_its_upload(shop: Shop) -> None:
    token, secret = shop.made.create("ann")
    with bearing(shop.server.address, secret) as stubs:
        url = stubs.stored(b"short-lived", user="")
        request = file_pb.CreateLinkRequest(url=url, expires_seconds=60)
        links = [stubs.files.CreateLink(request).url.removeprefix(shop.server.http) for _ in range(2)]
    assert shop.get(links[0], user="").body == b"short-lived"
    shop.made.revoke(token.id)
    eventually(lambda: shop.get(links[0], user="", method="HEAD").status == 401)
    kept = shop.link()
    with bearing(shop.server.address, shop.secrets["ann"]) as stubs:
        link = stubs.files.CreateLink(request).url.removeprefix(shop.server.http)
    assert shop.get(link, user="").body == b"short-lived"
    with bearing(shop.server.address, shop.secrets["ann"]) as stubs:
        stubs.uploads.CancelUpload(pb.CancelUploadRequest(upload_id=url.split("/")[2]))
    assert shop.get(url).status == shop.get(link, user="").status == 404
    assert shop.get(kept, user="").status == 200


def test_a_link_of_an_admin_for_another_user_is_one_of_that_user(shop: Shop) -> None:
    request = file_pb.CreateLinkRequest(user_id="bob", url=shop.urls["bob"], expires_seconds=60)
    with bearing(shop.server.address, shop.secrets["root"]) as stubs:
        link = stubs.files.CreateLink(request).url.removeprefix(shop.server.http)
    assert shop.get(link, user="").status == 200


def test_a_link_to_the_file_of_another_user_is_refused(shop: Shop) -> None:
    with bearing(shop.server.address, shop.secrets["ann"]) as stubs:
        request = file_pb.CreateLinkRequest(url=shop.urls["bob"], expires_seconds=60)
        assert refused(lambda: stubs.files.CreateLink(request))[1] == "UPLOAD_NOT_FOUND"


def test_links_survive_a_restart_and_those_of_an_older_version(serve_http: ServeHttp, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "links.key").write_bytes(b"k" * 32)
    with serve_http() as server, grpc.insecure_channel(server.address) as channel:
        url = Stubs(channel).stored(DATA)
        request = file_pb.CreateLinkRequest(url=url, expires_seconds=60)
        link = Stubs(channel).files.CreateLink(request).url.removeprefix(server.http)
    path, _, value = link.partition("?link=")
    assert Links(b"k" * 32, clock=time.time).holder(path, value) is None
    with serve_http() as server:
        assert ask(server.http, link).body == DATA
    with (
        serve_http(http_url="https://x.example/") as public,
        grpc.insecure_channel(public.address) as channel,
    ):
        assert Stubs(channel).files.CreateLink(request).url.startswith("https://x.example/uploads/")


def test_a_server_without_http_makes_no_link(serve_http: ServeHttp) -> None:
    with serve_http(http="") as server, grpc.insecure_channel(server.address) as channel:
        request = file_pb.CreateLinkRequest(url=Stubs(channel).stored(DATA), expires_seconds=60)
        code, reason = refused(lambda: Stubs(channel).files.CreateLink(request))
        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_READY")


def test_no_log_shows_a_token_or_a_link(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        link = shop.link()
        shop.get(link, user="")
        shop.get(shop.urls["ann"])
        shop.get(f"{link}x", user="")
    assert [record for record in caplog.records if record.name == "facecli.access"]
    logged = "\n".join(str(vars(record)) for record in caplog.records)
    assert link.partition("link=")[2] not in logged
    assert shop.secrets["ann"][-64:] not in logged
    assert "clip.mp4" not in logged
