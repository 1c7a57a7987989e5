"""Signed links: URLs that stand for the right of one user to read one file, until they expire.

The signature covers the path, the principal and the time. Checking a link checks the token with which it was
made as well, and the file is found as that principal would find it: so a link ends with its token, and with
its task or upload.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass

from facecli.core.auth import Principal
from facecli.core.errors import InvalidInput, Unauthenticated

MAX_EXPIRY = 7 * 86400  # seconds
PARAMETER = "link"  # of the query

LINK_HINT = "ask its sender for a new one"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedLink:
    """`target` is a path with its query; `expires_at` is in seconds since 1970."""

    target: str
    expires_at: float


class Links:
    """Creates and checks links with a key of this server."""

    def __init__(self, key: bytes, *, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock

    def create(self, path: str, *, principal: Principal | None, expires_in: int) -> SignedLink:
        """A link to a path; `principal` is None where the server trusts every name."""
        if not 0 < expires_in <= MAX_EXPIRY:
            raise InvalidInput(f"a link expires in 1 s to 7 days, not in {expires_in} s")
        expires_at = int(self._clock()) + expires_in
        holder = [principal.user, principal.admin, principal.token_id] if principal else None
        claims = _encoded(json.dumps([expires_at, holder], separators=(",", ":")).encode())
        value = f"{claims}.{self._signature(path, claims)}"
        return SignedLink(target=f"{path}?{PARAMETER}={value}", expires_at=expires_at)

    def holder(self, path: str, value: str) -> Principal | None:
        """The principal of a link; Unauthenticated when it is not valid for this path, or has expired."""
        claims, _, signature = value.partition(".")
        if not hmac.compare_digest(self._signature(path, claims).encode(), signature.encode()):
            raise Unauthenticated("this link is not valid", hint=LINK_HINT)
        expires_at, holder = json.loads(_decoded(claims))
        if expires_at <= self._clock():
            raise Unauthenticated("this link has expired", hint=LINK_HINT)
        return Principal(user=holder[0], admin=holder[1], token_id=holder[2]) if holder else None

    def _signature(self, path: str, claims: str) -> str:
        message = f"{path}\n{claims}".encode()
        return _encoded(hmac.digest(self._key, message, hashlib.sha256))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise Unauthenticated("this link is not valid", hint=LINK_HINT) from error
