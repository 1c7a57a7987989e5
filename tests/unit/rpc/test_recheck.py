"""Watchers have no thread of their own: somebody else finds out that their token does not hold any more."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import grpc
import pytest

from facecli.api.admission import Admission
from facecli.api.authentication import Callers
from facecli.api.call_context import Requests
from facecli.core.auth import RECHECK, Token, Tokens
from facecli.core.errors import Unavailable
from facecli.rpc.send_pool import SendPool
from facecli.rpc.tasks import TaskServicer
from facecli.wire.generated import task_service_pb2 as pb
from tests.support.storage import Clock


class TokensInMemory:
    """Some of which cannot be read."""

    def __init__(self) -> None:
        self.tokens: dict[str, Token] = {}
        self.unreadable = set[str]()

    def insert(self, token: Token) -> None:
        self.tokens[token.id] = token

    def find(self, token_id: str) -> Token | None:
        if token_id in self.unreadable:
            raise Unavailable("no database")
        return self.tokens.get(token_id)

    def listed(self) -> list[Token]:
        return list(self.tokens.values())

    def revoke(self, token_id: str, *, now: float) -> Token:
        self.tokens[token_id] = replace(self.tokens[token_id], revoked_at=now)
        return self.tokens[token_id]


class Board:
    """Nothing ever happens to a task."""

    def watch(self, task_id: str, changed: object, *, owner: str) -> Callable[[], None]:
        return lambda: None


class Now:
    def submit(self, send: Callable[[], None]) -> None:
        send()


class Call:
    """A watch of who shows this token; `code` once it has ended."""

    def __init__(self, token: str) -> None:
        self.code: grpc.StatusCode | None = None
        self._token = token

    def invocation_metadata(self) -> tuple[tuple[str, str]]:
        return (("authorization", f"Bearer {self._token}"),)

    def is_active(self) -> bool:
        return True

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return True

    def set_code(self, code: grpc.StatusCode) -> None:
        self.code = code

    def set_details(self, details: str) -> None: ...

    def set_trailing_metadata(self, metadata: object) -> None: ...


def test_one_token_that_cannot_be_read_keeps_no_other_from_being_found_revoked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows, clock = TokensInMemory(), Clock()
    tokens = Tokens(rows, clock=clock)
    callers, requests = Callers(tokens), Requests()
    service = TaskServicer(
        cast(Any, Board()),
        callers=callers,
        requests=requests,
        admission=Admission(2, "watchers"),
        send_pool=cast(SendPool, Now()),
    )
    made = [tokens.create(user) for user in ("ann", "bob")]
    calls = [Call(text) for _, text in made]
    with ExitStack() as stack:
        for call in calls:
            context = cast(Any, call)
            stack.enter_context(requests.numbered(context, "WatchTask"))
            stack.enter_context(callers.met(context))
            service.WatchTask(pb.WatchTaskRequest(task_id="t1"), context, lambda message: None)
        rows.unreadable.add(made[0][0].id)
        tokens.revoke(made[1][0].id)
        clock.now += RECHECK
        service.recheck()
    assert [call.code for call in calls] == [None, grpc.StatusCode.UNAUTHENTICATED]
    assert "1 watchers could not be checked: no database" in caplog.text
