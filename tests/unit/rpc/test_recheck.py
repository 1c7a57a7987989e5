"""Periodic recheck of the tokens of watchers, which have no thread of their own."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import grpc
import pytest

from facecli.api.admission import CallLimits, create_admissions
from facecli.api.authentication import Authenticator
from facecli.core.auth import RECHECK_SECONDS, Token, Tokens
from facecli.core.errors import Unavailable
from facecli.core.events import EventBus
from facecli.rpc.calls import Calls, credentials_of
from facecli.rpc.send_pool import SendPool
from facecli.rpc.tasks import TaskServicer
from facecli.wire.generated import task_service_pb2 as pb
from tests.support.rpc.calls import ConnectedContext
from tests.support.storage import Clock


class TokensInMemory:
    """A token repository in memory, with some tokens unreadable."""

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
    """A task service whose tasks never change."""

    def watch(self, task_id: str, changed: object, *, owner: str) -> Callable[[], None]:
        return lambda: None


class ManualSendPool:
    """A send pool that runs its sends when the test decides."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def submit(self, send: Callable[[], None]) -> None:
        self.jobs.append(send)


LIMITS = CallLimits(uploads=2, watchers=2, downloads=2, calls=2, share=100, idle=1)


class WatchContext(ConnectedContext):
    def add_callback(self, callback: Callable[[], None]) -> bool:
        return True


def test_an_unreadable_token_does_not_hide_a_revoked_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows, clock, send_pool = TokensInMemory(), Clock(), ManualSendPool()
    tokens = Tokens(rows, clock=clock)
    calls = Calls(Authenticator(tokens), EventBus())
    service = TaskServicer(
        cast(Any, Board()),
        cast(Any, None),
        cast(Any, None),
        calls=calls,
        admissions=create_admissions(LIMITS),
        send_pool=cast(SendPool, send_pool),
    )
    made = [tokens.create(user) for user in ("ann", "bob")]
    contexts = [WatchContext(text) for _, text in made]
    with ExitStack() as stack:
        for each in contexts:
            context = cast(Any, each)
            stack.enter_context(calls.opened(context, "/video.TaskService/WatchTask"))
            calls.of(context).authenticate(credentials_of(context))
            service.WatchTask(pb.WatchTaskRequest(task_id="t1"), context, lambda message: None)
        rows.unreadable.add(made[0][0].id)
        tokens.revoke(made[1][0].id)
        clock.now += RECHECK_SECONDS
        service.recheck()
        for job in send_pool.jobs:
            job()
    assert [context.status for context in contexts] == [None, grpc.StatusCode.UNAUTHENTICATED]
    (record,) = (vars(each) for each in caplog.records if "cannot recheck" in each.message)
    assert (record["watchers"], record["error"]) == (1, "no database")
