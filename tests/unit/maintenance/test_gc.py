"""What becomes of a leftover, by what it is and by what is trusted."""

import pytest

from facecli.core.garbage import Fate, Leftover, LeftoverKind, cleared
from tests.support.storage import CHUNK, EXPIRY, Content, Place

FILE = Content(size=2 * CHUNK)


@pytest.mark.parametrize("kind", LeftoverKind)
@pytest.mark.parametrize("trust_clock", [False, True])
@pytest.mark.parametrize("dry_run", [False, True])
def test_only_orphans_go_by_no_clock_and_nothing_goes_in_a_dry_run(
    kind: LeftoverKind, trust_clock: bool, dry_run: bool
) -> None:
    went = list[str]()

    def remove() -> bool:
        went.append("it")
        return True

    leftover = Leftover(kind=kind, id="1", why="", size=1, remove=remove)
    ((_, fate),) = cleared([leftover], dry_run=dry_run, trust_clock=trust_clock)
    goes = trust_clock or kind in {LeftoverKind.BLOB, LeftoverKind.WORK}
    assert fate is ((Fate.WOULD_GO if dry_run else Fate.REMOVED) if goes else Fate.KEPT)
    assert went == (["it"] if goes and not dry_run else [])


def test_what_somebody_has_gone_on_with_since_it_was_found_is_kept(place: Place) -> None:
    inbox = place.inbox()
    upload, _ = inbox.begin(FILE.new)
    inbox.put_chunk(upload.id, FILE.frame(0), owner="ann")
    place.clock.now += EXPIRY + 1
    (found,) = inbox.removal.overdue(measured=False)
    assert (found.kind, found.id, found.size) == (LeftoverKind.UPLOAD, upload.id, FILE.size)
    inbox.begin(FILE.new)
    ((_, fate),) = cleared([found], dry_run=False, trust_clock=True)
    assert fate is Fate.KEPT
    assert inbox.get(upload.id, owner="ann").stored_chunks == 1
