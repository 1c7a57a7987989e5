"""Tokens: creation, authentication, expiry and revocation."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.core.auth import RECHECK_SECONDS, Principal, Token, Tokens, TokenStatus, checked_user
from facecli.core.errors import InvalidInput, NotFound, Unauthenticated


class Rows:
    """A token repository in memory that counts its reads."""

    def __init__(self) -> None:
        self.kept: dict[str, Token] = {}
        self.asked = 0

    def insert(self, token: Token) -> None:
        self.kept[token.id] = token

    def find(self, token_id: str) -> Token | None:
        self.asked += 1
        return self.kept.get(token_id)

    def listed(self) -> Sequence[Token]:
        return list(self.kept.values())[::-1]

    def revoke(self, token_id: str, *, now: float) -> Token:
        raise NotFound


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def tokens(rows: Rows, clock: Clock) -> Tokens:
    return Tokens(rows, clock=clock)


def test_a_token_authenticates_its_user(tokens: Tokens) -> None:
    ann, secret = tokens.create("ann")
    root, other = tokens.create("root", admin=True)
    assert tokens.authenticate(secret) == Principal(user="ann", token_id=ann.id)
    assert tokens.authenticate(other) == Principal(user="root", admin=True, token_id=root.id)


def test_stored_values_authenticate_no_one(tokens: Tokens, rows: Rows) -> None:
    token, secret = tokens.create("ann")
    assert secret.rpartition("_")[2] not in repr(rows.kept)
    for kept in (token.id, token.sha256, f"fc_{token.id}_{token.sha256}", f"fc_{token.id}_{'0' * 64}"):
        with pytest.raises(Unauthenticated, match="not known to this server"):
            tokens.authenticate(kept)


@given(text=st.text() | st.from_regex(r"fc_[0-9a-f]{16}_[0-9a-f]{64}", fullmatch=True))
def test_any_other_text_is_refused(text: str) -> None:
    tokens = Tokens(Rows(), clock=Clock())
    tokens.create("ann")
    with pytest.raises(Unauthenticated, match="not known to this server"):
        tokens.authenticate(text)


def test_a_token_expires_on_time_and_only_its_holder_learns_that(tokens: Tokens, clock: Clock) -> None:
    token, secret = tokens.create("ann", expires_in=10)
    clock.now += 9.9
    tokens.authenticate(secret)
    clock.now += 0.1
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.authenticate(secret)
    with pytest.raises(Unauthenticated, match="not known to this server"):
        tokens.authenticate(secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    assert tokens.listed() == [(token, TokenStatus.EXPIRED)]


def test_a_running_call_outlives_its_token_by_at_most_a_second(
    tokens: Tokens, rows: Rows, clock: Clock
) -> None:
    token, _ = tokens.create("ann", expires_in=100)
    for _ in range(5):
        tokens.check(token.id)
    assert rows.asked == 1
    del rows.kept[token.id]
    clock.now += RECHECK_SECONDS
    with pytest.raises(Unauthenticated, match="revoked"):
        tokens.check(token.id)


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_a_clock_that_jumps_does_not_keep_a_token_alive(
    tokens: Tokens, rows: Rows, clock: Clock, jump: float
) -> None:
    token, _ = tokens.create("ann")
    tokens.check(token.id)
    del rows.kept[token.id]
    clock.now += jump
    with pytest.raises(Unauthenticated):
        tokens.check(token.id)


def test_an_expiry_ends_a_running_call_without_a_database_query(tokens: Tokens, clock: Clock) -> None:
    token, _ = tokens.create("ann", expires_in=0.5)
    tokens.check(token.id)
    clock.now += 0.5
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.check(token.id)


@pytest.mark.parametrize("name", ["", " ann", "ann ", "a\nb", "a\x00b", "x" * 65, "\u202eann"])
def test_invalid_user_names_are_refused(tokens: Tokens, name: str) -> None:
    with pytest.raises(InvalidInput, match="is not a valid user name"):
        tokens.create(name)


@pytest.mark.parametrize("name", ["ann", "ann@example.org", "Ann Müller", "安", "x" * 64])
def test_valid_user_names_are_accepted(name: str) -> None:
    assert checked_user(name) == name
