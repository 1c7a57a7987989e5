"""The page of a running server: what calls leave on it, what it never says, and that it always answers."""

import base64
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import pytest

from facecli.blobs.backup_mark import record_backup
from facecli.bootstrap.addresses import wants_metrics
from facecli.bootstrap.server import Running, run_server
from facecli.bootstrap.tokens import tokens
from facecli.config.settings import Settings
from facecli.core.errors import InvalidInput
from facecli.telemetry.metrics import exposition
from facecli.telemetry.metrics.catalog import METRICS, Kind
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import upload_service_pb2 as upload_pb
from facecli.wire.generated import video_service_pb2 as pb
from tests.support.eventually import DEADLINE, eventually
from tests.support.monitoring.page import Page, fetched, fetched_when
from tests.support.web.http_client import Answer, ask
from tests.unit.rpc.conftest import Stubs, bearing, frame

DATA = b"0123456789"  # of `Stubs.begin`: chunks of 4 bytes


@dataclass
class Observed:
    """A server that has metrics on a port of its own, and serves HTTP."""

    running: Running
    stubs: Stubs

    def page(self) -> Page:
        return fetched(self.running.metrics)

    def grows(self, change: Callable[[], object], by: float, name: str, **labels: str) -> None:
        """Assert that a change makes the sum of these series greater by so much."""
        before = self.page().value(name, **labels)
        change()
        eventually(lambda: self.page().value(name, **labels) == before + by)


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    data = tmp_path_factory.mktemp("observed") / "data"
    settings = Settings(bind="127.0.0.1:0", http="127.0.0.1:0", metrics="127.0.0.1:0", data_dir=str(data))
    limited = replace(settings, workers=0, max_uploads=1, user_share=100, max_user_unfinished=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exposition, "MAX_AGE", 0)
        with run_server(limited) as running, grpc.insecure_channel(running.address) as channel:
            yield Observed(running, Stubs(channel))


def stream(stubs: Stubs, upload_id: str, *offsets: int, cut: bytes = b"") -> None:
    """Send whole chunks, and perhaps the beginning of another one."""
    frames = [frame(upload_id, at, DATA[at : at + 4]) for at in offsets]
    if cut:
        partial = frame(upload_id, len(offsets) * 4, cut)
        partial.ClearField("chunk_crc32c")
        frames.append(partial)
    list(stubs.uploads.StreamUpload(iter(frames)))


def test_an_upload_with_a_repeated_and_a_broken_chunk_is_accounted_for_byte_by_byte(
    observed: Observed,
) -> None:
    upload_id = observed.stubs.begin(user="ann")
    before = observed.page()
    stream(observed.stubs, upload_id, 0, cut=b"45")
    stream(observed.stubs, upload_id, 0, 4, 8)
    eventually(lambda: observed.page().value("facecli_uploads_completed_total"))
    after = observed.page()

    def growth(name: str, **labels: str) -> float:
        return after.value(f"facecli_{name}", **labels) - before.value(f"facecli_{name}", **labels)

    assert growth("upload_received_bytes_total") == 4 + 2 + 10
    assert growth("upload_stored_bytes_total") == 10
    assert growth("upload_retransmitted_bytes_total") == 2 + 4
    assert growth("upload_acknowledgement_seconds_count") == 4
    assert growth("upload_stage_seconds_count", stage="receive") == 4
    assert 1 < growth("upload_stage_seconds_count", stage="commit") <= 4
    assert growth("rpc_calls_total", method="video.UploadService/StreamUpload", code="OK") == 2
    assert growth("rpc_duration_seconds_count", method="video.UploadService/StreamUpload") == 2


def test_a_resumed_upload_is_counted_and_a_new_one_is_not(observed: Observed) -> None:
    request = upload_pb.BeginUploadRequest(
        user_id="ann", name="resumed.mp4", file_type="video", size=10, chunk_size=4
    )
    name = "facecli_uploads_resumed_total"
    observed.grows(lambda: observed.stubs.uploads.BeginUpload(request), 0, name)
    observed.grows(lambda: observed.stubs.uploads.BeginUpload(request), 1, name)


def test_sent_bytes_are_counted_over_grpc_and_over_http(observed: Observed) -> None:
    url = observed.stubs.stored(DATA)
    request = file_pb.DownloadRequest(user_id="ann", url=url, offset=2)
    name = "facecli_download_sent_bytes_total"
    observed.grows(lambda: list(observed.stubs.files.Download(request)), 8, name)
    span = {"range": "bytes=1-3"}
    observed.grows(lambda: ask(observed.running.http, url, headers=span), 3, name)


def test_the_bytes_of_tus_requests_within_a_chunk_are_counted_once(observed: Observed) -> None:
    headers = {"tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream"}
    metadata = f"filename {base64.b64encode(b'clip.mp4').decode()}"
    resent = observed.page().value("facecli_upload_retransmitted_bytes_total")
    created = ask(
        observed.running.http,
        "/files",
        method="POST",
        headers={**headers, "upload-length": "10", "upload-metadata": metadata, "upload-offset": "0"},
        body=DATA[:3],
    )
    path = created.headers["location"].removeprefix(observed.running.http)

    def append(offset: int, end: int) -> Answer:
        at = {**headers, "upload-offset": str(offset)}
        return ask(observed.running.http, path, method="PATCH", headers=at, body=DATA[offset:end])

    def rest() -> None:
        assert append(3, 7).status == append(7, 10).status == 204

    observed.grows(rest, 10, "facecli_upload_received_bytes_total")
    assert observed.page().value("facecli_upload_retransmitted_bytes_total") == resent


def test_the_page_answers_and_shows_refusals_while_all_slots_are_taken(observed: Observed) -> None:
    upload_id, released = observed.stubs.begin(user="ann"), threading.Event()

    def held() -> Iterator[pb.UploadRequest]:
        yield frame(upload_id, 0, DATA[:4])
        released.wait(DEADLINE)

    call = observed.stubs.uploads.StreamUpload(held())
    next(call)
    try:
        page = observed.page()
        kind = {"kind": "uploads"}
        assert page.value("facecli_slots_in_use", **kind) == page.value("facecli_slots_limit", **kind) == 1

        def refused() -> None:
            with pytest.raises(grpc.RpcError):
                stream(observed.stubs, upload_id, 0)

        observed.grows(refused, 1, "facecli_refusals_total", reason="TOO_MANY_CALLS")
    finally:
        released.set()
        list(call)


def test_no_client_can_add_series_by_what_it_sends(observed: Observed) -> None:
    def send() -> None:
        for name, method in ((uuid.uuid4().hex, "PROPFIND"), (uuid.uuid4().hex, "REPORT")):
            ask(observed.running.http, f"/{name}")
            ask(observed.running.http, f"/uploads/{name}/x")
            ask(observed.running.http, "/healthz", method=method)
            ask(observed.running.http, "/healthz", method=name[:8].upper())
            with pytest.raises(grpc.RpcError):
                unknown(observed.stubs.channel, name)
            with pytest.raises(grpc.RpcError):
                observed.stubs.uploads.GetUpload(upload_pb.GetUploadRequest(user_id=name, upload_id=name))

    def all_counted(page: Page, times: int) -> bool:
        requests = [("other", "GET", "404"), ("/uploads", "GET", "404"), ("/healthz", "other", "405")]
        of_http = [
            page.value("facecli_http_requests_total", route=route, method=method, code=code)
            for route, method, code in requests
        ]
        of_rpc = page.value("facecli_rpc_duration_seconds_count", method="video.UploadService/GetUpload")
        return [*of_http, of_rpc] == [times] * 4

    send()
    before = fetched_when(observed.running.metrics, lambda page: all_counted(page, 2))
    send()
    after = fetched_when(observed.running.metrics, lambda page: all_counted(page, 4))
    assert set(after.series) == set(before.series)


def unknown(channel: grpc.Channel, name: str) -> None:
    """Call a method that no service has."""
    request = upload_pb.GetUploadRequest()
    channel.unary_unary(f"/video.UploadService/{name}", upload_pb.GetUploadRequest.SerializeToString)(request)


def test_a_port_of_its_own_takes_the_page_from_the_http_port(observed: Observed) -> None:
    assert ask(observed.running.http, "/metrics").status == 404


@pytest.fixture(scope="module")
def page_with_tokens(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page on the HTTP port of a server that requires tokens, which a backup was made of."""
    folder = tmp_path_factory.mktemp("tokens")
    settings = Settings(
        bind="127.0.0.1:0", http="127.0.0.1:0", data_dir=str(folder / "data"), workers=0, auth="token"
    )
    with tokens(settings) as made:
        made.create("henrietta")
        made.create("gustav", expires_in=-1)
        token, secret = made.create("wilhelmina", expires_in=3600)
        record_backup(folder / "data", 1234567890)
        with run_server(settings) as running:
            with bearing(running.address, secret) as stubs:
                stubs.stored(DATA, user="wilhelmina", name="honeymoon.mp4")
                stubs.begin(user="wilhelmina")
            page = fetched(running.metrics)
    assert running.metrics == f"{running.http}/metrics"
    assert page.value("facecli_token_next_expiry_timestamp_seconds") == token.expires_at
    return page


def test_the_page_needs_no_token_and_names_no_user_and_no_file(page_with_tokens: Page) -> None:
    assert page_with_tokens.value("facecli_rpc_calls_total", code="OK") == 2
    for name in ("henrietta", "wilhelmina", "honeymoon", "clip.mp4", "data"):
        assert name not in page_with_tokens.text.replace("data directory", "").replace("database", "")


def test_every_gauge_is_on_the_page_of_a_server(page_with_tokens: Page) -> None:
    gauges = {metric.name for metric in METRICS if metric.kind is Kind.GAUGE}
    assert gauges - page_with_tokens.families() == {"facecli_certificate_expiry_timestamp_seconds"}
    assert page_with_tokens.value("facecli_backup_last_success_timestamp_seconds") == 1234567890
    assert page_with_tokens.value("facecli_uploads_incomplete") == 0, "as of the start"


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, False),
        ({"http": "127.0.0.1:80"}, True),
        ({"http": "0.0.0.0:80"}, False),
        ({"metrics": "0.0.0.0:9464"}, True),
    ],
)
def test_only_the_operator_puts_metrics_on_an_address_that_others_reach(
    changed: dict[str, str], wanted: bool
) -> None:
    assert wants_metrics(replace(Settings(), **changed)) is wanted  # type: ignore[arg-type]


def test_a_wrong_address_is_refused_by_the_name_of_its_option(tmp_path: Path) -> None:
    settings = Settings(bind="127.0.0.1:0", metrics="9464", data_dir=str(tmp_path / "data"), workers=0)
    with pytest.raises(InvalidInput, match="--metrics '9464' is not HOST:PORT"), run_server(settings):
        pass
