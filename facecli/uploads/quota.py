"""What one user may have on a server."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from facecli.core.errors import FileTooLarge, QuotaReached
from facecli.uploads.upload import Upload

ROOM_AFTER = 30  # seconds; somebody has to delete something, or to finish it
TURN_AFTER = 5  # seconds; waiting tasks are run by and by


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a user has: bytes of uploads, unfinished ones with all they will have, and of results."""

    stored: int
    unfinished: int  # uploads
    waiting: int  # tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLimits:
    """The most of each that a user may have; 0 for any."""

    stored: int = 0
    unfinished: int = 0
    waiting: int = 0


class UsageRepository(Protocol):
    def of(self, owner: str) -> Usage: ...


class Quota:
    """Makes sure that nobody gets more than that. What two servers let in at the same moment may be over."""

    def __init__(self, repository: UsageRepository, limits: UserLimits) -> None:
        self.limits = limits
        self._repository = repository
        self._lock = threading.Lock()

    def used(self, owner: str) -> Usage:
        return self._repository.of(owner)

    @contextmanager
    def uploads(self, new: Sequence[Upload]) -> Iterator[None]:
        """Room for new uploads, remembered within; QuotaReached or FileTooLarge when there is none."""
        with self._lock:
            for owner in {upload.owner for upload in new}:
                self._check_uploads(owner, [upload for upload in new if upload.owner == owner])
            yield

    @contextmanager
    def task(self, owner: str) -> Iterator[None]:
        """Room for one more task that waits, remembered within; QuotaReached when there is none."""
        with self._lock:
            used, most = self._repository.of(owner), self.limits
            if most.waiting and used.waiting >= most.waiting:
                raise QuotaReached(
                    f"{owner} has {used.waiting} waiting tasks, and may have {most.waiting}",
                    retry_after=TURN_AFTER,
                )
            if most.stored and used.stored >= most.stored:
                raise _no_room(owner, used.stored, most.stored, "a result needs some")
            yield

    def _check_uploads(self, owner: str, new: Sequence[Upload]) -> None:
        most = self.limits
        for upload in new:
            if most.stored and _reserved(upload) > most.stored:
                raise FileTooLarge(
                    f"{upload.name} has {_reserved(upload)} bytes; one user may have {most.stored} here"
                )
        used, wanted = self._repository.of(owner), sum(map(_reserved, new))
        if most.unfinished and used.unfinished + len(new) > most.unfinished:
            raise QuotaReached(
                f"{owner} has {used.unfinished} unfinished uploads, and may have {most.unfinished}",
                retry_after=ROOM_AFTER,
            )
        if most.stored and used.stored + wanted > most.stored:
            what = new[0].name if len(new) == 1 else f"{len(new)} files"
            raise _no_room(owner, used.stored, most.stored, f"{what} would take {wanted}")


def _reserved(upload: Upload) -> int:
    return upload.size or upload.total_chunks * upload.chunk_size


def _no_room(owner: str, used: int, most: int, wanted: str) -> QuotaReached:
    return QuotaReached(
        f"{owner} has {used} bytes on this server, and may have {most}; {wanted}", retry_after=ROOM_AFTER
    )
