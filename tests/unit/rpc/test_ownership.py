"""Ownership matrix: every RPC × every reference × every caller without access, who learns nothing."""

from collections.abc import Iterator
from dataclasses import replace
from threading import current_thread
from typing import Any

import grpc
import pytest
from sqlalchemy import Engine, event

from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.rpc.rpcs import CHUNK, NOTHING, REQUESTS, RPCS, Things, answers, begin, put, strings
from tests.support.rpc.two_tenant_server import UNAUTHENTICATED, TwoTenantServer, two_tenant_server

pytestmark = pytest.mark.media


Code = grpc.StatusCode

REFERENCES = {"user_id", "upload_id", "task_id", "image_url", "video_url", "url", "page_token"}
HARMLESS = {"file_name", "file_type", "name", "engine", "status", "key", "value"}  # key and value of options
MATRIX = [
    (rpc, field)
    for rpc, method in RPCS.items()
    for field in sorted(REFERENCES & set(strings(method.input_type)))
]
BACKGROUND = ("periodic", "task-feed")  # threads that query the database besides the calls


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoTenantServer]:
    with two_tenant_server(tmp_path_factory.mktemp("house")) as opened:
        yield opened


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
    house: TwoTenantServer, statements: list[str], rpc: str, field: str
) -> None:
    before = house.everything("ann")
    seen = []
    for whose in (house.ann, NOTHING):
        requests = REQUESTS[rpc](replace(house.bob, user=""))
        for request, theirs in zip(requests, REQUESTS[rpc](whose), strict=True):
            put(request, field, theirs)
        statements.clear()
        answered = house.answered(rpc, requests, "bob")
        # Every stream rechecks its token once a second.
        seen.append((answered, [sql for sql in statements if sql != "BEGIN" and "FROM tokens" not in sql]))
    assert seen[0] == seen[1]
    expected = {"user_id": Code.PERMISSION_DENIED, "page_token": Code.INVALID_ARGUMENT}
    assert seen[0][0][0] is expected.get(field, Code.NOT_FOUND)
    assert house.everything("ann") == before


@pytest.mark.parametrize("url", ["image_url", "video_url"])
def test_an_upload_of_another_user_cannot_be_downloaded(house: TwoTenantServer, url: str) -> None:
    seen = []
    for whose in (house.ann, NOTHING):
        requests = REQUESTS["FileService.Download"](replace(whose, user="", result_url=getattr(whose, url)))
        seen.append(house.answered("FileService.Download", requests, "bob"))
    assert seen[0] == seen[1] == (Code.NOT_FOUND, "UPLOAD_NOT_FOUND: there is no upload <which> {}")


@pytest.mark.parametrize("stranger", UNAUTHENTICATED)
@pytest.mark.parametrize("rpc", RPCS)
def test_an_unauthenticated_caller_gets_the_same_refusal_everywhere(
    house: TwoTenantServer, rpc: str, stranger: str
) -> None:
    before = house.everything("ann")
    seen = {
        house.answered(rpc, REQUESTS[rpc](whose), stranger)
        for things in (house.ann, NOTHING)
        for whose in (things, replace(things, user=""))
    }
    assert len(seen) == 1
    assert {code for code, _ in seen} == {Code.UNAUTHENTICATED}
    assert house.everything("ann") == before


def test_a_wrong_secret_and_an_unknown_id_get_the_same_refusal_and_work(
    house: TwoTenantServer, statements: list[str]
) -> None:
    seen = []
    for stranger in ("wrong secret", "unknown id"):
        statements.clear()
        refusal = house.answered(
            "FileService.GetServerInfo", REQUESTS["FileService.GetServerInfo"](NOTHING), stranger
        )
        seen.append((refusal, [*statements]))
    assert seen[0] == seen[1]


def test_a_listing_contains_only_the_callers_own_rows(house: TwoTenantServer) -> None:
    for user, others in (("ann", house.bob), ("bob", house.ann)):
        listed = b"".join(house.everything(user))
        own = house.ann if user == "ann" else house.bob
        assert own.upload_id.encode() in listed
        assert own.task_id.encode() in listed
        assert others.upload_id.encode() not in listed
        assert others.task_id.encode() not in listed


def test_uploads_and_idempotency_keys_are_not_shared_between_users(house: TwoTenantServer) -> None:
    def begun(user: str, requests: int = 1) -> list[str]:
        request = pb.BeginUploadsRequest(uploads=[begin(replace(house.ann, user=""))] * requests)
        answer = answers(house.channel, "UploadService.BeginUploads", [request], house.metadata[user])[0]
        return [each.upload.upload_id for each in answer.uploads]

    def created(things: Things) -> str:
        request = REQUESTS["VideoService.CreateTask"](things)
        key = (*house.metadata[things.user], ("idempotency-key", "order-1"))
        return str(answers(house.channel, "VideoService.CreateTask", request, key)[0].task_id)

    assert begun("ann") == begun("ann")
    assert not {*begun("ann")} & {*begun("bob")}
    assert created(house.ann) == created(house.ann) != created(house.bob)


@pytest.mark.parametrize("whose", ["ann", "nobody"])
def test_resuming_an_upload_of_another_user_begins_a_new_one(house: TwoTenantServer, whose: str) -> None:
    upload_id = {"ann": house.ann, "nobody": NOTHING}[whose].upload_id
    before = house.everything("ann")
    (message,) = REQUESTS["VideoService.UploadVideo"](replace(NOTHING, user="", upload_id=""))
    call: Any = house.channel.stream_unary(
        "/video.VideoService/UploadVideo",
        request_serializer=lambda sent: sent.SerializeToString(),
        response_deserializer=video_pb.UploadResponse.FromString,
    )
    resume = (("facecli-resume", "1"), ("facecli-upload-id", upload_id))
    answer, ended = call.with_call(iter([message]), metadata=(*house.metadata["bob"], *resume))
    told = dict(ended.initial_metadata())
    assert told["facecli-next-chunk"] == "0"
    assert told["facecli-upload-id"] == answer.upload_id != upload_id
    assert answer.stored_bytes == len(CHUNK)
    assert house.everything("ann") == before


def test_an_admin_acts_for_others_and_otherwise_under_their_own_name(house: TwoTenantServer) -> None:
    for_ann = REQUESTS["UploadService.GetUpload"](house.ann)
    assert house.answered("UploadService.GetUpload", for_ann, "admin") == (Code.OK, "")
    for_nobody = REQUESTS["UploadService.GetUpload"](replace(house.ann, user=""))
    assert house.answered("UploadService.GetUpload", for_nobody, "admin")[0] is Code.NOT_FOUND
    assert house.everything("admin") != house.everything("ann")


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("rpc", RPCS)
def test_the_owner_gets_an_answer(house: TwoTenantServer, rpc: str, named: bool) -> None:
    """Proves that the refusals above are due to the caller. Runs last, because some calls delete data."""
    things = house.bob if named else replace(house.ann, user="")
    assert house.answered(rpc, REQUESTS[rpc](things), "bob" if named else "ann") == (Code.OK, "")
