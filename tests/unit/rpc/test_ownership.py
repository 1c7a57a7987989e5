"""Ownership matrix: every RPC × every reference × every caller without access, who learns nothing."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from threading import current_thread
from typing import Any

import grpc
import pytest
from sqlalchemy import Engine, event

from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.rpc.rpcs import CHUNK, NOTHING, REQUESTS, RPCS, TenantData, answers, begin, put, strings
from tests.support.rpc.two_tenant_server import UNAUTHENTICATED, TwoTenantServer, two_tenant_server

pytestmark = pytest.mark.media


Code = grpc.StatusCode

REFERENCES = {"user_id", "upload_id", "task_id", "image_url", "video_url", "url", "page_token"}
HARMLESS = {"file_name", "file_type", "name", "engine", "status", "key", "value"}  # key and value of options
HARMLESS |= {"label_waiver", "sha256", "kind", "priority"}
MATRIX = [
    (rpc, field)
    for rpc, method in RPCS.items()
    for field in sorted(REFERENCES & set(strings(method.input_type)))
]
# Calls that change the data of their request, so that they cannot be repeated.
ENDING = {f"TaskService.{verb}Task" for verb in ("Cancel", "Retry", "Delete")} | {
    "UploadService.CancelUpload"
}
BACKGROUND = ("periodic", "task-feed")  # threads that query the database besides the calls


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoTenantServer]:
    with two_tenant_server(tmp_path_factory.mktemp("server")) as opened:
        yield opened


@pytest.fixture(params=[0, 1], ids=["gRPC", "gRPC-Web"])
def transport(server: TwoTenantServer, request: pytest.FixtureRequest) -> TwoTenantServer:
    """The server by one of its transports."""
    return server.transports[request.param]


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The SQL statements of a call: a measure of its work that is the same on every machine."""
    ran: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if not current_thread().name.startswith(BACKGROUND):
            ran.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield ran
    event.remove(Engine, "before_cursor_execute", note)


def test_the_matrix_covers_every_rpc_and_every_text_of_its_request() -> None:
    assert set(REQUESTS) == set(RPCS)
    texts = {name for method in RPCS.values() for name in strings(method.input_type)}
    assert texts == REFERENCES | HARMLESS
    assert not [rpc for rpc in RPCS if rpc not in dict(MATRIX)]


@pytest.mark.parametrize(("rpc", "field"), MATRIX)
def test_an_id_of_another_user_gets_the_answer_and_the_work_of_an_unknown_one(
    server: TwoTenantServer, statements: list[str], rpc: str, field: str
) -> None:
    before = server.everything("ann")
    seen = []
    for transport, whose in product(server.transports, (server.ann, NOTHING)):
        requests = REQUESTS[rpc](replace(server.bob, user=""))
        for request, theirs in zip(requests, REQUESTS[rpc](whose), strict=True):
            put(request, field, theirs)
        statements.clear()
        answered = transport.answered(rpc, requests, "bob")
        # Every stream rechecks its token once a second.
        seen.append((answered, [sql for sql in statements if sql != "BEGIN" and "FROM tokens" not in sql]))
    assert seen == seen[:1] * 4
    expected = {"user_id": Code.PERMISSION_DENIED, "page_token": Code.INVALID_ARGUMENT}
    assert seen[0][0][0] is expected.get(field, Code.NOT_FOUND)
    assert server.everything("ann") == before


@pytest.mark.parametrize("url", ["image_url", "video_url"])
def test_an_upload_of_another_user_cannot_be_downloaded(server: TwoTenantServer, url: str) -> None:
    seen = []
    for transport, whose in product(server.transports, (server.ann, NOTHING)):
        requests = REQUESTS["FileService.Download"](replace(whose, user="", result_url=getattr(whose, url)))
        seen.append(transport.answered("FileService.Download", requests, "bob"))
    assert {*seen} == {(Code.NOT_FOUND, "UPLOAD_NOT_FOUND: there is no upload <identity> {}")}


@pytest.mark.parametrize("stranger", UNAUTHENTICATED)
@pytest.mark.parametrize("rpc", RPCS)
def test_an_unauthenticated_caller_gets_the_same_refusal_everywhere(
    server: TwoTenantServer, rpc: str, stranger: str
) -> None:
    before = server.everything("ann")
    seen = {
        transport.answered(rpc, REQUESTS[rpc](whose), stranger)
        for transport in server.transports
        for data in (server.ann, NOTHING)
        for whose in (data, replace(data, user=""))
    }
    assert len(seen) == 1
    assert {code for code, _ in seen} == {Code.UNAUTHENTICATED}
    assert server.everything("ann") == before


def test_a_wrong_secret_and_an_unknown_id_get_the_same_refusal_and_work(
    server: TwoTenantServer, statements: list[str]
) -> None:
    seen = []
    for transport, stranger in product(server.transports, ("wrong secret", "unknown id")):
        statements.clear()
        refusal = transport.answered(
            "FileService.GetServerInfo", REQUESTS["FileService.GetServerInfo"](NOTHING), stranger
        )
        seen.append((refusal, [*statements]))
    assert seen == seen[:1] * 4


def test_a_listing_contains_only_the_callers_own_rows(transport: TwoTenantServer) -> None:
    server = transport
    for user, others in (("ann", server.bob), ("bob", server.ann)):
        listed = b"".join(server.everything(user))
        own = server.ann if user == "ann" else server.bob
        assert own.upload_id.encode() in listed
        assert own.task_id.encode() in listed
        assert others.upload_id.encode() not in listed
        assert others.task_id.encode() not in listed


def test_uploads_and_idempotency_keys_are_not_shared_between_users(transport: TwoTenantServer) -> None:
    server = transport

    def begun(user: str, requests: int = 1) -> list[str]:
        request = pb.BeginUploadsRequest(uploads=[begin(replace(server.ann, user=""))] * requests)
        answer = answers(server.channel, "UploadService.BeginUploads", [request], server.metadata[user])[0]
        return [each.upload.upload_id for each in answer.uploads]

    def created(data: TenantData) -> str:
        request = REQUESTS["VideoService.CreateTask"](data)
        key = (*server.metadata[data.user], ("idempotency-key", "order-1"))
        return str(answers(server.channel, "VideoService.CreateTask", request, key)[0].task_id)

    assert begun("ann") == begun("ann")
    assert not {*begun("ann")} & {*begun("bob")}
    assert created(server.ann) == created(server.ann) != created(server.bob)


@pytest.mark.parametrize("whose", ["ann", "nobody"])
def test_resuming_an_upload_of_another_user_begins_a_new_one(server: TwoTenantServer, whose: str) -> None:
    upload_id = {"ann": server.ann, "nobody": NOTHING}[whose].upload_id
    before = server.everything("ann")
    (message,) = REQUESTS["VideoService.UploadVideo"](replace(NOTHING, user="", upload_id=""))
    call: Any = server.channel.stream_unary(
        "/video.VideoService/UploadVideo",
        request_serializer=lambda sent: sent.SerializeToString(),
        response_deserializer=video_pb.UploadResponse.FromString,
    )
    resume = (("facecli-resume", "1"), ("facecli-upload-id", upload_id))
    answer, ended = call.with_call(iter([message]), metadata=(*server.metadata["bob"], *resume))
    metadata = dict(ended.initial_metadata())
    assert metadata["facecli-next-chunk"] == "0"
    assert metadata["facecli-upload-id"] == answer.upload_id != upload_id
    assert answer.stored_bytes == len(CHUNK)
    assert server.everything("ann") == before


def test_an_admin_acts_for_others_and_otherwise_under_their_own_name(transport: TwoTenantServer) -> None:
    server = transport
    for_ann = REQUESTS["UploadService.GetUpload"](server.ann)
    assert server.answered("UploadService.GetUpload", for_ann, "admin") == (Code.OK, "")
    for_nobody = REQUESTS["UploadService.GetUpload"](replace(server.ann, user=""))
    assert server.answered("UploadService.GetUpload", for_nobody, "admin")[0] is Code.NOT_FOUND
    assert server.everything("admin") != server.everything("ann")


@pytest.mark.parametrize("rpc", RPCS)
def test_the_owner_gets_an_answer(server: TwoTenantServer, rpc: str) -> None:
    """Proves that the refusals above are due to the caller. Runs last, because some calls delete data."""
    by_grpc, by_web = server.transports
    named, unnamed = server.bob, replace(server.ann, user="")
    calls = [(by_grpc, named, "bob"), (by_web, unnamed, "ann")]
    if rpc not in ENDING:
        calls += [(by_grpc, unnamed, "ann"), (by_web, named, "bob")]
    for transport, data, owner in calls:
        assert transport.answered(rpc, REQUESTS[rpc](data), owner) == (Code.OK, "")
