"""Quota of a user: stored bytes, unfinished uploads, waiting tasks."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
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
    """The current usage of users."""

    def of(self, owner: str) -> Usage: ...


class Quota:
    """Enforces the limits of every user. Two servers together can exceed one."""

    def __init__(self, repository: UsageRepository, limits: UserLimits) -> None:
        self.limits = limits
        self._repository = repository
        self._lock = threading.Lock()
        self._spare = Counter[str]()  # bytes of chunks that are being replaced, by owner

    def used(self, owner: str) -> Usage:
        used = self._repository.of(owner)
        return replace(used, stored=used.stored + self._spare[owner])

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
    def uploads(self, new: Sequence[Upload]) -> Iterator[None]:
        """Insert new uploads within this block; QuotaReached or FileTooLarge beyond a limit."""
        with self._lock:
            for owner in {upload.owner for upload in new}:
                self._check_uploads(owner, [upload for upload in new if upload.owner == owner])
            yield

    @contextmanager
    def task(self, owner: str) -> Iterator[None]:
        """Insert a waiting task within this block; QuotaReached beyond a limit."""
        with self._lock:
            used, limits = self.used(owner), self.limits
            if limits.waiting and used.waiting >= limits.waiting:
                raise QuotaReached(
                    f"{owner} already has {used.waiting} waiting tasks, the limit",
                    retry_after=WAITING_RETRY_AFTER,
                )
            if limits.stored and used.stored >= limits.stored:
                raise _no_room(owner, used.stored, limits.stored, "a result needs space")
            yield

    def _check_uploads(self, owner: str, new: Sequence[Upload]) -> None:
        limits = self.limits
        for upload in new:
            if limits.stored and _reserved(upload) > limits.stored:
                raise FileTooLarge(
                    f"{upload.name} has {_reserved(upload)} bytes; the quota of a user is {limits.stored}"
                )
        used, required = self.used(owner), sum(map(_reserved, new))
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
