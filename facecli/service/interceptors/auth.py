"""Lets in who knows the server's token. Health is open to everybody."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from facecli.core.errors import Unauthenticated
from facecli.service.interceptors.wrapping import Guard

_OPEN = "/grpc.health.v1.Health/"


def auth(token: str) -> Guard:
    """A guard that wants `authorization: Bearer <token>`, compared in constant time."""
    wanted = _digest(f"Bearer {token}")

    @contextmanager
    def guard(context: grpc.ServicerContext, method: str) -> Iterator[None]:
        sent = dict(context.invocation_metadata()).get("authorization", "")
        if not method.startswith(_OPEN) and not hmac.compare_digest(_digest(str(sent)), wanted):
            raise Unauthenticated("this server wants a token, and not the one that was sent" if sent else "")
        yield

    return guard


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
