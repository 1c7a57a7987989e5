"""Quota of a user: stored bytes, unfinished uploads, waiting tasks.

Theory of operation. Several servers may admit work of one user at the same moment. So the check runs in the
database transaction that adds the work: the repository locks the usage of the owner, reads it, calls `Admit`,
and inserts. Only the second versions of chunks that are being replaced are counted by each server for itself.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from facecli.core.errors import FileTooLarge, QuotaReached
from facecli.uploads.upload import Upload

STORED_RETRY_AFTER = 30  # seconds; the user has to delete or finish an upload
WAITING_RETRY_AFTER = 5  # seconds; waiting tasks run one after another


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Usage of one user."""

    stored: int  # bytes of uploads, unfinished ones with their announced size, and of results
    unfinished: int  # uploads
    waiting: int  # tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLimits:
    """The limits of one user; 0 for none."""

    stored: int = 0
    unfinished: int = 0
    waiting: int = 0


class UsageRepository(Protocol):
    """The current usage of users, kept up to date with every change of a row."""

    def of(self, owner: str) -> Usage: ...

    def compact(self) -> int:
        """Replace the changes of owners who have many by their sum; return the number of these owners."""
        ...

    def wrong(self) -> Mapping[str, tuple[Usage, Usage]]:
        """Owners whose usage is not that of their rows: the usage, and that of the rows. Reads all rows."""
        ...

    def correct(self, owner: str, *, found: Usage, real: Usage) -> None:
        """Add the difference: also right if the usage has changed meanwhile."""
        ...


Admit = Callable[[str, Usage], None]  # the owner and their usage; raises what refuses the work


class Quota:
    """Enforces the limits of every user, also when several servers share the database."""

    def __init__(self, repository: UsageRepository, limits: UserLimits) -> None:
        self.limits = limits
        self._repository = repository
        self._lock = threading.Lock()
        self._spare = Counter[str]()  # bytes of chunks that are being replaced, by owner

    def used(self, owner: str) -> Usage:
        return self._with_spare(owner, self._repository.of(owner))

    def reserve_spare(self, owner: str, size: int) -> bool:
        """Reserve space for the second version of a chunk, next to the stored one; False without room."""
        with self._lock:
            if self.limits.stored and self.used(owner).stored + size > self.limits.stored:
                return False
            self._spare[owner] += size
            return True

    def no_room(self, owner: str, reason: str) -> QuotaReached:
        """The error of an owner whose storage quota is exhausted."""
        return _no_room(owner, self.used(owner).stored, self.limits.stored, reason)

    def release_spare(self, owner: str, size: int) -> None:
        """Release a reservation: one of the two versions has left the disk."""
        with self._lock:
            self._spare[owner] -= size
            if not self._spare[owner]:
                del self._spare[owner]

    @contextmanager
    def uploads(self, new: Sequence[Upload]) -> Iterator[Admit]:
        """Insert new uploads within this block, if the check admits them: QuotaReached or FileTooLarge."""

        def admit(owner: str, used: Usage) -> None:
            own = [upload for upload in new if upload.owner == owner]
            self._check_uploads(owner, self._with_spare(owner, used), own)

        with self._lock:
            yield admit

    @contextmanager
    def task(self) -> Iterator[Admit]:
        """Insert a waiting task within this block, if the check admits it: QuotaReached beyond a limit."""
        with self._lock:
            yield self._check_task

    def _with_spare(self, owner: str, used: Usage) -> Usage:
        return replace(used, stored=used.stored + self._spare[owner])

    def _check_task(self, owner: str, used: Usage) -> None:
        used, limits = self._with_spare(owner, used), self.limits
        if limits.waiting and used.waiting >= limits.waiting:
            raise QuotaReached(
                f"{owner} already has {used.waiting} waiting tasks, the limit",
                retry_after=WAITING_RETRY_AFTER,
            )
        if limits.stored and used.stored >= limits.stored:
            raise _no_room(owner, used.stored, limits.stored, "a result needs space")

    def _check_uploads(self, owner: str, used: Usage, new: Sequence[Upload]) -> None:
        limits, required = self.limits, sum(map(_reserved, new))
        for upload in new:
            if limits.stored and _reserved(upload) > limits.stored:
                raise FileTooLarge(
                    f"{upload.name} has {_reserved(upload)} bytes; the quota of a user is {limits.stored}"
                )
        if limits.unfinished and used.unfinished + len(new) > limits.unfinished:
            raise QuotaReached(
                f"{owner} already has {used.unfinished} unfinished uploads, the limit",
                retry_after=STORED_RETRY_AFTER,
            )
        if limits.stored and used.stored + required > limits.stored:
            files = new[0].name if len(new) == 1 else f"{len(new)} files"
            raise _no_room(owner, used.stored, limits.stored, f"{files} would take {required}")


def _reserved(upload: Upload) -> int:
    return upload.size or upload.total_chunks * upload.chunk_size


def _no_room(owner: str, used: int, limit: int, reason: str) -> QuotaReached:
    return QuotaReached(
        f"{owner} has {used} bytes on this server, the quota is {limit}; {reason}",
        retry_after=STORED_RETRY_AFTER,
    )
