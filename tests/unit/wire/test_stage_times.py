"""Stage times on the wire: as they are measured, and bounded when a server sends nonsense."""

from dataclasses import fields

from facecli.uploads.stage_times import StageTimes
from facecli.uploads.upload import Chunk
from facecli.wire import uploads as wire
from facecli.wire.generated import upload_service_pb2 as pb
from tests.support.builders import upload
from tests.support.garbage.plausible import acknowledgement

CHUNK = Chunk(index=0, size=4, crc32c=1, token="")
NAMES = [field.name for field in fields(StageTimes)]
TIMES = StageTimes(**{name: (20 - number) / 8 for number, name in enumerate(NAMES)})


def test_a_client_gets_the_times_that_the_server_measured() -> None:
    message = wire.acknowledgement(upload(), chunk=CHUNK, stages=TIMES)
    assert wire.acknowledgement_from_message(message).stages == TIMES


def test_a_server_that_measures_nothing_sends_no_times() -> None:
    assert wire.acknowledgement_from_message(acknowledgement(0, 4)).stages is None


def test_no_time_is_negative_longer_than_its_stream_or_longer_than_a_year() -> None:
    wild = pb.StageTimes(elapsed_us=2_000_000, receive_us=-1, write_us=2**63 - 1, frames_queued_us=2**63 - 1)
    times = wire.stages_from_message(wild)
    assert (times.elapsed, times.receive, times.write, times.frames_queued) == (2.0, 0.0, 2.0, 2000.0)
    ages = wire.stages_from_message(pb.StageTimes(elapsed_us=2**63 - 1, flush_us=2**63 - 1))
    assert ages.elapsed == ages.flush == 366 * 24 * 3600
    assert wire.stages_from_message(pb.StageTimes(elapsed_us=-5, commit_us=5)) == StageTimes()
