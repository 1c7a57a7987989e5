"""Principals, and the access tokens that authenticate them."""

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
RECHECK_SECONDS = 1.0  # for which a running call may outlive the revocation of its token

_TEXT = re.compile(r"fc_([0-9a-f]{16})_([0-9a-f]{64})")
_NO_DIGEST = "0" * 64  # the digest of no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated user. An `admin` may act for others; `token_id` is empty for a client certificate."""

    user: str
    admin: bool = False
    token_id: str = ""


class TokenStatus(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token. Only the SHA-256 of its secret is stored; its text is `fc_<id>_<secret>`."""

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
    """Storage of tokens. Every change is durable when the call returns."""

    def insert(self, token: Token) -> None: ...

    def find(self, token_id: str) -> Token | None: ...

    def listed(self) -> Sequence[Token]:
        """Newest first."""
        ...

    def revoke(self, token_id: str, *, now: float) -> Token:
        """Revoke a token, unless it is revoked already; NotFound when there is none."""
        ...


class Tokens:
    """Creates, lists, revokes and authenticates tokens. Safe to use from many threads."""

    def __init__(self, repository: TokenRepository, *, clock: Callable[[], float]) -> None:
        self._repository = repository
        self._clock = clock
        self._seen: dict[str, tuple[float, Token | None]] = {}

    def create(self, user: str, *, expires_in: float | None = None, admin: bool = False) -> tuple[Token, str]:
        """Create a token that expires in `expires_in` seconds or never. Its text is not stored anywhere."""
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
        """All tokens with their current status, newest first."""
        now = self._clock()
        return [(token, token.status(now)) for token in self._repository.listed()]

    def revoke(self, token_id: str) -> Token:
        """Revoke a token. Idempotent; NotFound for an unknown id."""
        return self._repository.revoke(token_id, now=self._clock())

    def authenticate(self, text: str) -> Principal:
        """The principal of a token, given its text; Unauthenticated when it is not valid.

        An unknown id and a wrong secret get the same message after the same work.
        """
        match = _TEXT.fullmatch(text)
        token = self._repository.find(match[1]) if match else None
        digest = _digest(match[2] if match else text)
        if not hmac.compare_digest(digest, token.sha256 if token else _NO_DIGEST) or token is None:
            raise Unauthenticated("the token is not known to this server")
        self._check(token)
        self._seen[token.id] = self._clock(), token
        return Principal(user=token.user, admin=token.admin, token_id=token.id)

    def check(self, token_id: str) -> None:
        """Unauthenticated once a token is revoked or expired. Reads the database once in RECHECK_SECONDS."""
        now = self._clock()
        seen_at, token = self._seen.get(token_id, (-RECHECK_SECONDS, None))
        if abs(now - seen_at) >= RECHECK_SECONDS:
            token = self._repository.find(token_id)
            self._seen[token_id] = now, token
        self._check(token)

    def _check(self, token: Token | None) -> None:
        match token and token.status(self._clock()):
            case TokenStatus.VALID:
                return
            case TokenStatus.EXPIRED:
                raise Unauthenticated("the token has expired")
            case _:
                raise Unauthenticated("the token was revoked")


def is_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return _TEXT.fullmatch(text) is not None


def checked_user(name: str) -> str:
    """Check the name of a user in a token or a certificate."""
    if not 0 < len(name) <= MAX_USER or not name.isprintable() or name != name.strip():
        raise InvalidInput(f"{name!r} is not a valid user name: use 1 to {MAX_USER} printable characters")
    return name


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
