"""Every mistake of a client gets the right status, a stable reason and a helpful message."""

from collections.abc import Callable, Iterator

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.core.errors import FacecliError
from facecli.media.ffmpeg import FfmpegMedia
from facecli.wire.errors import from_rpc
from tests.support.rpc import statuses as do
from tests.support.rpc.statuses import (
    Case,
    RunningServer,
    ahead,
    app,
    begin,
    chunk,
    differs,
    invalid,
    single,
    stream,
)
from tests.support.web.grpc_web import WebChannel
from tests.unit.rpc import test_access, test_limits, test_ownership, test_server, test_uploads, test_videos
from tests.unit.rpc import test_concurrency as test_places
from tests.unit.rpc import test_single_statuses as test_statuses_alone
from tests.unit.rpc.conftest import Stubs

pytestmark = pytest.mark.media


PENDING = "it is pending; only an ended task"

# Row → what clients do. A row that is no refusal, or needs a server of its own, is a test elsewhere.
ROWS: dict[str, list[Case | Callable[..., None]]] = {
    "no, bad, expired token": [
        test_server.test_without_a_token_only_health_is_answered,
        test_ownership.test_an_unauthenticated_caller_gets_the_same_refusal_everywhere,
        test_access.test_a_revoked_token_ends_a_watch,
    ],
    "somebody else's id, unknown id": [
        test_uploads.test_the_upload_of_another_user_looks_like_an_unknown_one,
        test_ownership.test_an_id_of_another_user_gets_the_answer_and_the_work_of_an_unknown_one,
        *do.UNKNOWN,
    ],
    "empty stream": [
        invalid("UploadVideo without a message", app(), "send at least one chunk"),
        invalid("StreamUpload without a message", stream(), "names the upload_id from BeginUpload"),
        invalid("a chunk of nothing", app(chunk(data=b"")), "between 1 and"),
        invalid("a frame of nothing", stream((0, b"")), "do not fit chunk 0"),
    ],
    "bad name": [
        *(invalid(f"{does}, begun", begin(name=name), text) for does, (name, text) in do.NAMES.items()),
        *(invalid(does, app(chunk(file_name=name)), text) for does, (name, text) in do.NAMES.items()),
    ],
    "negative or inconsistent index, total, size": [
        invalid("index -1", app(chunk(-1)), "neither continues"),
        invalid("index -1 later", app(chunk(0), chunk(-1)), "neither continues"),
        invalid("an index past the total", app(chunk(0), chunk(1), chunk(2), chunk(3)), "outside 0..2"),
        invalid("index -1, alone", single(-1, b"0123"), "neither continues"),
        invalid("an index past the end, alone", single(3, b"0123"), "outside 0..2"),
        invalid("no total", app(chunk(total_chunks=0)), "1 to 1000000 chunks"),
        invalid("total -1", app(chunk(total_chunks=-1)), "1 to 1000000 chunks"),
        invalid("a total of 2³¹-1", app(chunk(total_chunks=2**31 - 1)), "1 to 1000000 chunks"),
        invalid("a size that is not the total's", app(chunk(file_size=99)), "are 25, not 3"),
        invalid("size -1", app(chunk(file_size=-1)), "needs at least one"),
        invalid("size 0, begun", begin(size=0), "needs at least one"),
        invalid("size -1, begun", begin(size=-1), "needs at least one"),
        invalid("a chunk size of -1", begin(chunk_size=-1), "between 1 and"),
        invalid("a chunk size of 2³¹-1", begin(chunk_size=2**31 - 1), "between 1 and"),
        invalid("2⁴⁰ bytes in chunks of one", begin(size=10**9, chunk_size=1), "1 to 1000000 chunks"),
        invalid("offset -4", stream((-4, b"0123")), "neither continues"),
        invalid("offset 2⁶³-1", stream((2**63 - 1, b"0")), "neither continues"),
        invalid("an offset within a chunk", stream((1, b"0")), "neither continues"),
        invalid("an offset past the end", stream((12, b"0")), "outside 0..2"),
        invalid("another kind of file", begin(file_type="audio"), "neither image nor video"),
        invalid("another kind of file, sent", app(chunk(file_type="")), "neither image nor video"),
    ],
    "name or size changing midway": [
        invalid("another name", app(chunk(0), chunk(1, file_name="b.mp4")), "changed midway"),
        invalid("another total", app(chunk(0), chunk(1, total_chunks=4)), "changed midway"),
        invalid("another kind", app(chunk(0), chunk(1, file_type="image")), "changed midway"),
        invalid("another user", app(chunk(0), chunk(1, user_id="bob")), "changed midway"),
        invalid("another size", app(chunk(0, file_size=10), chunk(1, file_size=11)), "changed midway"),
    ],
    "more bytes than announced": [
        invalid("a longer chunk", app(chunk(0), chunk(1, b"012345")), "do not fit chunk 1"),
        invalid("a longer frame", stream((0, b"01234")), "do not fit chunk 0"),
        invalid("a longer last frame", stream((8, b"890")), "do not fit chunk 2"),
        invalid("a longer chunk, alone", single(2, b"890"), "do not fit chunk 2"),
        invalid("a longer last chunk", app(chunk(file_size=10), chunk(1), chunk(2)), "do not fit chunk 2"),
    ],
    "short chunk in the middle": [
        invalid("a short chunk", app(chunk(0), chunk(1, b"0")), "do not fit chunk 1"),
        invalid("a short frame that ends its chunk", stream((0, b"012")), "do not fit chunk 0"),
        invalid("a short chunk, alone", single(0, b"012"), "do not fit chunk 0"),
    ],
    "index ahead of what is stored on the in-order RPC": [
        ahead("at the beginning", app(chunk(1)), "begin with chunk 0"),
        ahead("later", app(chunk(0), chunk(2)), "the next one is 1"),
        test_videos.test_a_chunk_ahead_is_refused_with_the_next_index,
    ],
    "same chunk again: same bytes / other bytes in a finished upload": [
        test_uploads.test_a_completed_upload_accepts_the_same_bytes_and_no_others,
        differs("a frame", do.other_bytes),
        differs("a chunk, alone", do.other_single),
    ],
    "bad chunk checksum": [
        invalid("of a message", app(chunk(chunk_crc32c=1)), "send it again", "CHECKSUM_MISMATCH"),
        invalid("of a frame", stream((0, b"0123"), crc=1), "send it again", "CHECKSUM_MISMATCH"),
        invalid("of a chunk, alone", single(0, b"0123", crc=1), "send it again", "CHECKSUM_MISMATCH"),
        test_uploads.test_a_damaged_chunk_is_refused_and_discarded,
    ],
    "second writer": [test_uploads.test_a_second_writer_takes_over_and_the_first_is_aborted],
    "stream ends early": [test_videos.test_a_stream_that_ends_early_reports_an_incomplete_upload],
    "task on an unfinished upload; cancel of an ended task": [
        do.not_ready("a task", do.unfinished, "UPLOAD_UNFINISHED", "is not complete: 4 bytes stored"),
        do.not_ready("a download", do.unfinished_download, "UPLOAD_UNFINISHED", "is not complete"),
        do.not_ready("the result of no result", do.result_of_cancelled, "RESULT_MISSING", "has no result"),
        do.not_ready("a retry too early", do.retry_of_pending, "NOT_READY", "only an ended task"),
        test_statuses_alone.test_an_ended_task_is_not_cancelled,
    ],
    "not a video, not an image, too large, too long, truncated": [
        invalid("no picture", do.face_of(lambda w: b"text"), "not a JPEG, PNG or WebP", "MEDIA_REFUSED"),
        invalid("a video for a face", do.face_of(lambda w: w.clip), "not a JPEG", "MEDIA_REFUSED"),
        invalid("half a picture", do.face_of(lambda w: w.face[:-99]), "cut off", "MEDIA_REFUSED"),
        invalid("no video", do.video_of(lambda w: b"text"), "not an MP4, MOV", "MEDIA_REFUSED"),
        invalid("a picture for a video", do.video_of(lambda w: w.face), "not an MP4", "MEDIA_REFUSED"),
        invalid(
            "half a video", do.video_of(lambda w: w.clip[: len(w.clip) // 2]), "cut off", "MEDIA_REFUSED"
        ),
        invalid("the wrong way round", do.swapped, "but is used as"),
        invalid("no URL", lambda w: w.task(video="x"), "it looks like /uploads"),
        invalid("another engine", lambda w: w.task(engine="magic"), "magic"),
        invalid("another option", lambda w: w.task(options={"x": "y"}), "its options are: delay"),
        invalid("a bad option", lambda w: w.task(options={"delay": "nan"}), "its values are: 0 to 600"),
        test_statuses_alone.test_media_over_the_limits_are_refused,
    ],
    "over quota, disk full, too many calls": [
        test_limits.test_the_bytes_of_one_user_are_limited,
        test_limits.test_the_unfinished_uploads_of_one_user_are_limited,
        test_limits.test_the_waiting_tasks_of_one_user_are_limited,
        test_places.test_one_user_holds_no_more_than_a_share_of_the_uploads,
        test_places.test_one_user_holds_no_more_than_a_share_of_the_short_calls,
        test_statuses_alone.test_too_many_uploads_are_refused_with_a_retry_delay,
        test_statuses_alone.test_a_file_larger_than_the_free_space_is_refused_with_a_retry_delay,
        test_statuses_alone.test_a_file_over_the_limit_is_refused_during_the_upload,
    ],
    "draining, database away": [
        test_server.test_an_upload_gets_unavailable_when_the_server_stops,
        test_statuses_alone.test_a_server_without_its_database_is_unavailable,
    ],
    "idle or too slow": [
        test_server.test_an_idle_upload_ends_and_keeps_its_chunks,
        test_statuses_alone.test_a_dripping_upload_is_ended_and_keeps_its_chunks,
    ],
    "a bug": [test_server.test_a_bug_becomes_an_id_and_its_text_stays_in_the_log],
}
CASES = [
    pytest.param(case, id=f"{row}: {case.does}")
    for row, cases in ROWS.items()
    for case in cases
    if isinstance(case, Case)
]


TRANSPORTS = ("gRPC", "gRPC-Web")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, RunningServer]]:
    """One server by each of its transports."""
    folder, media = tmp_path_factory.mktemp("world"), FfmpegMedia()
    media.make_face(folder / "face.png")
    media.make_clip(folder / "clip.mp4", seconds=1, width=160, height=120)
    face, clip = ((folder / name).read_bytes() for name in ("face.png", "clip.mp4"))
    settings = Settings(
        engine="mock", bind="127.0.0.1:0", http="127.0.0.1:0", data_dir=str(folder / "data"), workers=0
    )
    with (
        run_server(settings) as server,
        grpc.insecure_channel(server.address) as channel,
        WebChannel(server.http) as web_channel,
    ):
        yield {
            transport: RunningServer(stubs=Stubs(each), face=face, clip=clip)
            for transport, each in zip(TRANSPORTS, (channel, web_channel), strict=True)
        }


@pytest.fixture(params=TRANSPORTS)
def world(worlds: dict[str, RunningServer], request: pytest.FixtureRequest) -> RunningServer:
    return worlds[request.param]


@pytest.mark.parametrize("case", CASES)
def test_the_status_is_right(world: RunningServer, case: Case) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        case.act(world)
    error = from_rpc(caught.value, server="here:1")
    assert (caught.value.code(), error.reason) == (case.code, case.reason), error
    with pytest.raises(FacecliError, match=case.expected):
        raise error
    assert error.message.isprintable()


def test_every_row_has_its_tests() -> None:
    assert len(ROWS) == 19
    assert all(ROWS.values())
    assert len(CASES) > 80
