"""Who may: principals, and the tokens that show who one is."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from facecli.core.errors import InvalidInput, Unauthenticated

MAX_USER = 64  # characters of a user's name
RECHECK = 1.0  # seconds; so long a call that runs may outlive the revocation of its token

_TEXT = re.compile(r"fc_([0-9a-f]{16})_([0-9a-f]{64})")
_NOBODYS = "0" * 64  # no secret has this digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who calls, proved. An `admin` may act for others; `token_id` is empty for who showed a certificate."""

    user: str
    admin: bool = False
    token_id: str = ""


class TokenStatus(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token without its secret, of which only the SHA-256 is kept. Its text is `fc_<id>_<secret>`."""

    id: str
    user: str
    admin: bool
    sha256: str
    created_at: float
    expires_at: float | None
    revoked_at: float | None

    def status(self, now: float) -> TokenStatus:
        if self.revoked_at is not None:
            return TokenStatus.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return TokenStatus.EXPIRED
        return TokenStatus.VALID


class TokenRepository(Protocol):
    """Where tokens are remembered. Every change is durable when the call returns."""

    def insert(self, token: Token) -> None: ...

    def find(self, token_id: str) -> Token | None: ...

    def listed(self) -> Sequence[Token]:
        """Newest first."""
        ...

    def revoke(self, token_id: str, *, now: float) -> Token:
        """The token, revoked now or earlier; NotFound when there is none."""
        ...


class Tokens:
    """Makes, lists and revokes tokens, and knows who shows one. Safe to use from many threads."""

    def __init__(self, repository: TokenRepository, *, clock: Callable[[], float]) -> None:
        self._repository = repository
        self._clock = clock
        self._seen: dict[str, tuple[float, Token | None]] = {}

    def create(self, user: str, *, expires_in: float | None = None, admin: bool = False) -> tuple[Token, str]:
        """A new token, and its text, which nobody can tell again. `expires_in` seconds, or never."""
        secret, now = secrets.token_hex(32), self._clock()
        token = Token(
            id=secrets.token_hex(8),
            user=checked_user(user),
            admin=admin,
            sha256=_digest(secret),
            created_at=now,
            expires_at=None if expires_in is None else now + expires_in,
            revoked_at=None,
        )
        self._repository.insert(token)
        return token, f"fc_{token.id}_{secret}"

    def listed(self) -> list[tuple[Token, TokenStatus]]:
        """Newest first, each as it is now."""
        now = self._clock()
        return [(token, token.status(now)) for token in self._repository.listed()]

    def revoke(self, token_id: str) -> Token:
        """From now on it opens nothing. A second time is harmless; NotFound for an unknown id."""
        return self._repository.revoke(token_id, now=self._clock())

    def principal(self, text: str) -> Principal:
        """Who shows this text; Unauthenticated when it is no token that holds.

        An unknown id is told in the same words as a wrong secret, after the same work.
        """
        found = _TEXT.fullmatch(text)
        token = self._repository.find(found[1]) if found else None
        digest = _digest(found[2] if found else text)
        if not hmac.compare_digest(digest, token.sha256 if token else _NOBODYS) or token is None:
            raise Unauthenticated("this server does not know the token that was sent")
        self._check(token)
        self._seen[token.id] = self._clock(), token
        return Principal(user=token.user, admin=token.admin, token_id=token.id)

    def check(self, token_id: str) -> None:
        """Unauthenticated once the token does not hold any more; the database is asked once a second."""
        now = self._clock()
        seen_at, token = self._seen.get(token_id, (-RECHECK, None))
        if abs(now - seen_at) >= RECHECK:
            token = self._repository.find(token_id)
            self._seen[token_id] = now, token
        self._check(token)

    def _check(self, token: Token | None) -> None:
        match token and token.status(self._clock()):
            case TokenStatus.VALID:
                return
            case TokenStatus.EXPIRED:
                raise Unauthenticated("the token that was sent has expired")
            case _:
                raise Unauthenticated("the token that was sent was revoked")


def checked_user(name: str) -> str:
    """A user's name as tokens and certificates may have it."""
    if not 0 < len(name) <= MAX_USER or not name.isprintable() or name != name.strip():
        raise InvalidInput(f"{name!r} cannot be a user: a name has 1 to {MAX_USER} visible characters")
    return name


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
