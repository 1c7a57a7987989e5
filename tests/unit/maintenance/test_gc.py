"""The action taken on garbage depends on its kind and on trust in the clock."""

import pytest

from facecli.core.garbage import Garbage, GarbageKind
from facecli.maintenance.gc import Action, collect
from tests.support.storage import CHUNK, EXPIRY, Content, Storage

FILE = Content(size=2 * CHUNK)


@pytest.mark.parametrize("kind", GarbageKind)
@pytest.mark.parametrize("trust_clock", [False, True])
@pytest.mark.parametrize("dry_run", [False, True])
def test_only_orphans_are_removed_without_a_trusted_clock_and_nothing_in_a_dry_run(
    kind: GarbageKind, trust_clock: bool, dry_run: bool
) -> None:
    removals = list[str]()

    def remove() -> bool:
        removals.append("it")
        return True

    item = Garbage(kind=kind, id="1", reason="", size=1, remove=remove)
    ((_, action),) = collect([item], dry_run=dry_run, trust_clock=trust_clock)
    goes = trust_clock or kind in {GarbageKind.BLOB, GarbageKind.WORK}
    assert action is ((Action.TO_REMOVE if dry_run else Action.REMOVED) if goes else Action.KEPT)
    assert removals == (["it"] if goes and not dry_run else [])


def test_an_upload_resumed_after_it_was_found_is_kept(storage: Storage) -> None:
    upload_service = storage.upload_service()
    upload, _ = upload_service.begin(FILE.new)
    upload_service.put_chunk(upload.id, FILE.frame(0), owner="ann")
    storage.clock.now += EXPIRY + 1
    (found,) = upload_service.collector.overdue(measured=False)
    assert (found.kind, found.id, found.size) == (GarbageKind.UPLOAD, upload.id, FILE.size)
    upload_service.begin(FILE.new)
    ((_, action),) = collect([found], dry_run=False, trust_clock=True)
    assert action is Action.KEPT
    assert upload_service.get(upload.id, owner="ann").stored_chunks == 1
