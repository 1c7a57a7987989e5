"""Call contexts: the user of a call, its subjects, and the events that audit and access log are made of."""

import logging
from collections.abc import Sequence

import pytest

from facecli.api.access_log import log_access
from facecli.api.audit import log_audit
from facecli.api.authentication import ANONYMOUS_USER, Authenticator, Credentials
from facecli.api.call_context import MAX_NAME, CallContext, IncomingCall
from facecli.core.auth import Token, Tokens
from facecli.core.errors import NotAllowed, Unauthenticated, UploadNotFound
from facecli.core.events import CallEnded, CallRefused, Event, EventBus
from tests.support.storage import Clock


class MemoryTokenRepository:
    def __init__(self) -> None:
        self.tokens: dict[str, Token] = {}

    def insert(self, token: Token) -> None:
        self.tokens[token.id] = token

    def find(self, token_id: str) -> Token | None:
        return self.tokens.get(token_id)

    def listed(self) -> Sequence[Token]:
        return list(self.tokens.values())

    def revoke(self, token_id: str, *, now: float) -> Token:
        raise NotImplementedError


@pytest.fixture
def published() -> list[Event]:
    return []


@pytest.fixture
def bus(published: list[Event]) -> EventBus:
    bus = EventBus()
    bus.subscribe(published.append)
    return bus


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(MemoryTokenRepository(), clock=Clock())


def call(bus: EventBus, tokens: Tokens | None = None, *, changes: bool = True) -> CallContext:
    incoming = IncomingCall(method="/video.S/Cancel", changes=changes, peer="ipv4:1", connected=lambda: True)
    return CallContext(incoming, authenticator=Authenticator(tokens), events=bus, clock=Clock())


def ended(published: list[Event]) -> CallEnded:
    event = published[-1]
    assert isinstance(event, CallEnded)
    return event


@pytest.mark.parametrize(("claimed", "user"), [("ann", "ann"), ("", ANONYMOUS_USER)])
def test_where_names_are_trusted_the_claimed_user_is_published(
    bus: EventBus, published: list[Event], claimed: str, user: str
) -> None:
    context = call(bus)
    context.authenticate(Credentials())
    assert context.user(claimed) == user
    context.end("OK")
    assert (ended(published).user, ended(published).acting_for) == (user, "")


def test_an_admin_is_published_with_the_user_that_they_act_for(
    bus: EventBus, published: list[Event], tokens: Tokens
) -> None:
    context = call(bus, tokens)
    context.authenticate(Credentials(token=tokens.create("root", admin=True)[1]))
    assert context.user("ann") == "ann"
    context.end("OK")
    assert (ended(published).user, ended(published).acting_for) == ("root", "ann")


def test_a_refused_name_is_published_beside_the_authenticated_user(
    bus: EventBus, published: list[Event], tokens: Tokens
) -> None:
    context = call(bus, tokens)
    context.authenticate(Credentials(token=tokens.create("ann")[1]))
    with pytest.raises(NotAllowed):
        context.user("bob")
    context.end("PERMISSION_DENIED")
    assert (ended(published).user, ended(published).acting_for) == ("ann", "bob")


def test_an_unauthenticated_call_has_no_user(bus: EventBus, published: list[Event], tokens: Tokens) -> None:
    context = call(bus, tokens)
    with pytest.raises(Unauthenticated):
        context.authenticate(Credentials())
    with pytest.raises(Unauthenticated):
        context.user("ann")
    context.end("UNAUTHENTICATED")
    assert (ended(published).user, ended(published).acting_for) == ("", "")


def test_a_certificate_authenticates_only_where_authentication_is_required(tokens: Tokens) -> None:
    presented = Credentials(certificate_names=(b"", b"ann"))
    assert Authenticator(tokens).authenticate(presented).authenticated_user == "ann"
    assert Authenticator(None).authenticate(presented).trusted


def test_subjects_are_published_once_each_and_bounded(bus: EventBus, published: list[Event]) -> None:
    context = call(bus)
    context.authenticate(Credentials())
    for subject in ("u1", "u2", "u1", "", "x" * 10**6):
        context.concerns("upload", subject)
    context.end("OK")
    assert ended(published).subjects == (("upload", "u1"), ("upload", "u2"), ("upload", "x" * MAX_NAME))


def test_an_unauthenticated_call_publishes_only_well_formed_ids(
    bus: EventBus, published: list[Event], tokens: Tokens
) -> None:
    context = call(bus, tokens)
    context.claims("root")
    for subject in ("0" * 32, "any text", "0" * 31):
        context.concerns("upload", subject)
    context.end("UNAUTHENTICATED")
    assert (ended(published).user, ended(published).acting_for) == ("", "")
    assert ended(published).subjects == (("upload", "0" * 32),)


def test_a_refusal_is_published_with_its_reason(bus: EventBus, published: list[Event]) -> None:
    context = call(bus)
    context.authenticate(Credentials())
    context.user("ann")
    context.refuse(UploadNotFound())
    (event,) = published
    assert isinstance(event, CallRefused)
    assert (event.request_id, event.user, event.reason) == (context.request_id, "ann", "UPLOAD_NOT_FOUND")


def test_only_changing_calls_are_audited_and_every_call_is_in_the_access_log(
    bus: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log_audit(bus)
    log_access(bus)
    for changes in (True, False):
        call(bus, changes=changes).end("OK")
    logged = [(record.name, vars(record)["outcome"]) for record in caplog.records]
    assert logged == [("facecli.audit", "OK"), ("facecli.access", "OK"), ("facecli.access", "OK")]


def test_several_subjects_of_one_kind_cannot_be_confused(
    bus: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log_audit(bus)
    context = call(bus)
    context.authenticate(Credentials())
    for subject in ("u1", "u2 u3"):
        context.concerns("upload", subject)
    context.end("OK")
    assert vars(caplog.records[-1])["upload"] == 'u1 "u2 u3"'
