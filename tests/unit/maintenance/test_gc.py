"""The action taken on garbage depends on its kind and on trust in the clock."""

import pytest

from facecli.core.garbage import ORPHAN_AGE, Garbage, GarbageKind, OrphanPolicy, remove_all
from facecli.maintenance.gc import Action, collect
from tests.support.storage import CHUNK, EXPIRY, Content, Storage

FILE = Content(size=2 * CHUNK)


NEWEST_ROW = 10 * ORPHAN_AGE
OLD, YOUNG = NEWEST_ROW - ORPHAN_AGE - 1, NEWEST_ROW - ORPHAN_AGE


def policy(*, newest_row: float | None = NEWEST_ROW, now: float = NEWEST_ROW) -> OrphanPolicy:
    return OrphanPolicy(newest_row=lambda: newest_row, clock=lambda: now)


@pytest.mark.parametrize("kind", GarbageKind)
@pytest.mark.parametrize("trusted", ["nothing", "clock", "database"])
@pytest.mark.parametrize("modified_at", [OLD, YOUNG])
@pytest.mark.parametrize("dry_run", [False, True])
def test_only_old_orphans_are_removed_without_trust_and_nothing_in_a_dry_run(
    kind: GarbageKind, trusted: str, modified_at: float, dry_run: bool
) -> None:
    removals = list[str]()

    def remove() -> bool:
        removals.append("it")
        return True

    item = Garbage(kind=kind, id="1", reason="", size=1, modified_at=modified_at, remove=remove)
    ((_, action),) = collect(
        [item],
        policy=policy(),
        dry_run=dry_run,
        trust_clock=trusted == "clock",
        trust_database=trusted == "database",
    )
    if kind in {GarbageKind.BLOB, GarbageKind.WORK}:
        goes = modified_at == OLD or trusted == "database"
    else:
        goes = trusted == "clock"
    assert action is ((Action.TO_REMOVE if dry_run else Action.REMOVED) if goes else Action.KEPT)
    assert removals == (["it"] if goes and not dry_run else [])


@pytest.mark.parametrize(
    ("newest_row", "now", "removable"),
    [
        (NEWEST_ROW, NEWEST_ROW, True),
        (None, NEWEST_ROW, False),  # an empty database
        (OLD, NEWEST_ROW, False),  # an older database
        (NEWEST_ROW, OLD, False),  # a clock set back, or rows of a clock that was ahead
    ],
)
def test_an_orphan_younger_than_the_newest_row_or_by_the_clock_stays(
    newest_row: float | None, now: float, removable: bool
) -> None:
    item = Garbage(kind=GarbageKind.BLOB, id="1", reason="", size=1, modified_at=OLD, remove=lambda: True)
    assert (policy(newest_row=newest_row, now=now).removable([item]) == [item]) is removable


def test_every_removal_is_logged_with_id_size_and_age(caplog: pytest.LogCaptureFixture) -> None:
    item = Garbage(
        kind=GarbageKind.BLOB, id="uploads/1", reason="none", size=7, modified_at=OLD, remove=lambda: True
    )
    with caplog.at_level("INFO"):
        assert remove_all([item], clock=lambda: NEWEST_ROW) == 1
    (record,) = caplog.records
    fields = vars(record)
    assert (fields["id"], fields["bytes"], fields["age_seconds"]) == ("uploads/1", 7, ORPHAN_AGE + 1)


def test_an_upload_resumed_after_it_was_found_is_kept(storage: Storage) -> None:
    upload_service = storage.upload_service()
    upload, _ = upload_service.begin(FILE.new)
    upload_service.put_chunk(upload.id, FILE.frame(0), owner="ann")
    storage.clock.now += EXPIRY + 1
    (found,) = upload_service.collector.overdue(measured=False)
    assert (found.kind, found.id, found.size) == (GarbageKind.UPLOAD, upload.id, FILE.size)
    upload_service.begin(FILE.new)
    ((_, action),) = collect([found], policy=policy(), dry_run=False, trust_clock=True, trust_database=False)
    assert action is Action.KEPT
    assert upload_service.get(upload.id, owner="ann").stored_chunks == 1
