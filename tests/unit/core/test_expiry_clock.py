"""Abandoned uploads go after their expiry and live ones never, whatever the clock on the wall says."""

from collections.abc import Callable, Sequence

import pytest

from facecli.core.errors import UploadNotFound
from facecli.core.expiry_clock import GRACE, Silence
from facecli.metadata.uploads import SqlUploadRows
from facecli.uploads.service import Inbox
from facecli.uploads.upload import Upload
from tests.support.builders import upload as some_upload
from tests.support.storage import CHUNK, EXPIRY, Clock, Content, Place, send

FILE = Content(size=3 * CHUNK + 7)
YEAR = 365 * 86400.0
WEEK = 7 * 86400.0

Act = Callable[[Inbox, Upload], object]


def write(inbox: Inbox, upload: Upload) -> None:
    with inbox.writer(upload.id, owner="ann") as writer:
        send(inbox, writer, FILE, [1])


ACTS: dict[str, Act] = {
    "begun again": lambda inbox, upload: inbox.begin(FILE.new),
    "begun again with others": lambda inbox, upload: inbox.begin_all([(FILE.new, False)] * 2),
    "written to": write,
    "sent a single chunk": lambda inbox, upload: inbox.put_chunk(upload.id, FILE.frame(0), owner="ann"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_whatever_shows_that_somebody_wants_it_gives_an_upload_all_its_time(
    inbox: Inbox, place: Place, act: Act
) -> None:
    upload, _ = inbox.begin(FILE.new)
    place.wait(EXPIRY - 1)
    act(inbox, upload)
    assert inbox.get(upload.id, owner="ann").expires_at == place.clock.now + EXPIRY
    place.wait(EXPIRY - 1)
    assert inbox.removal.expire() == 0
    place.wait(1)
    assert inbox.removal.expire() == 1


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_clock_that_jumps_ahead_takes_no_time_from_an_upload(inbox: Inbox, place: Place, act: Act) -> None:
    upload, _ = inbox.begin(FILE.new)
    place.wait(EXPIRY - 1)
    act(inbox, upload)
    place.clock.now += YEAR
    assert inbox.removal.expire() == 0
    place.wait(EXPIRY - 1)
    assert inbox.removal.expire() == 0
    place.wait(1)
    assert inbox.removal.expire() == 1


def test_who_comes_back_after_the_jump_finds_what_was_stored_and_all_its_time(
    inbox: Inbox, place: Place
) -> None:
    upload, _ = inbox.begin(FILE.new)
    write(inbox, upload)
    place.clock.now += YEAR
    assert inbox.removal.expire() == 0
    again, chunks = inbox.begin(FILE.new)
    assert (again.id, [chunk.index for chunk in chunks]) == (upload.id, [1])
    place.wait(EXPIRY - 1)
    assert inbox.removal.expire() == 0


def test_a_clock_that_was_wrong_at_the_start_takes_an_upload_only_when_nobody_comes_for_long(
    inbox: Inbox, place: Place
) -> None:
    inbox.begin(FILE.new)
    place.clock.now += YEAR
    restarted = place.inbox()
    assert restarted.removal.expire() == 0
    place.wait(EXPIRY - 1)
    assert restarted.removal.expire() == 0
    place.clock.now -= YEAR
    assert restarted.removal.expire() == 0
    place.clock.now += YEAR
    place.wait(1)
    assert restarted.removal.expire() == 0, "it was in time meanwhile"
    place.wait(EXPIRY)
    assert restarted.removal.expire() == 1


def test_an_upload_that_another_process_writes_to_is_alive(inbox: Inbox, place: Place) -> None:
    upload, _ = inbox.begin(FILE.new)
    place.clock.now += YEAR
    other = place.inbox()
    assert other.removal.expire() == 0
    for index in (0, 1):
        place.wait(EXPIRY - 1)
        inbox.put_chunk(upload.id, FILE.frame(index), owner="ann")
        place.clock.now += YEAR
        assert other.removal.expire() == 0


class LateRows(SqlUploadRows):
    """Something happens when an upload was found and before its time is moved."""

    happens: Callable[[], object]

    def prolong(self, upload_ids: Sequence[str], *, expires_at: float) -> Sequence[Upload]:
        self.happens()
        return super().prolong(upload_ids, expires_at=expires_at)


def test_one_that_goes_while_it_is_begun_again_is_begun_anew(inbox: Inbox, place: Place) -> None:
    upload, _ = inbox.begin(FILE.new)
    place.wait(EXPIRY)
    rows = place.opened(LateRows)
    rows.happens = inbox.removal.expire
    again, chunks = place.inbox(rows=rows).begin(FILE.new)
    assert again.id != upload.id
    assert chunks == []
    with pytest.raises(UploadNotFound):
        inbox.get(upload.id, owner="ann")


def test_a_start_waits_no_longer_than_an_hour() -> None:
    clock = Clock()
    silence, overdue = Silence(expiry=WEEK, monotonic=clock), [some_upload(expires_at=1.0)]
    assert silence.over(overdue) == []
    clock.now += GRACE - 1
    assert silence.over(overdue) == []
    clock.now += 1
    assert silence.over(overdue) == overdue
