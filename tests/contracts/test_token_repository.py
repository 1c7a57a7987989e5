"""The contract of every TokenRepository."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from facecli.core.auth import Token, TokenRepository
from facecli.core.errors import NotFound

OpenTokens = Callable[[], TokenRepository]

TOKEN = Token(
    id="0123456789abcdef",
    user="ann",
    admin=False,
    sha256="f" * 64,
    created_at=1.5,
    expires_at=None,
    revoked_at=None,
)


def test_every_process_finds_a_created_token(open_tokens: OpenTokens) -> None:
    lasting = replace(TOKEN, id="1" * 16, user="Ann Müller", admin=True, expires_at=2.25)
    repository = open_tokens()
    repository.insert(TOKEN)
    repository.insert(lasting)
    for seen in (repository, open_tokens()):
        assert seen.find(TOKEN.id) == TOKEN
        assert seen.find(lasting.id) == lasting
        assert seen.find("2" * 16) is None


def test_tokens_are_listed_newest_first(open_tokens: OpenTokens) -> None:
    repository = open_tokens()
    for number in (2, 1, 3):
        repository.insert(replace(TOKEN, id=str(number) * 16, created_at=float(number)))
    assert [token.id[0] for token in repository.listed()] == ["3", "2", "1"]


def test_a_revocation_is_final_and_seen_by_every_process(open_tokens: OpenTokens) -> None:
    repository, other = open_tokens(), open_tokens()
    repository.insert(TOKEN)
    revoked = replace(TOKEN, revoked_at=7.0)
    assert other.revoke(TOKEN.id, now=7.0) == repository.find(TOKEN.id) == revoked
    assert repository.revoke(TOKEN.id, now=9.0) == revoked
    with pytest.raises(NotFound, match="there is no token 2"):
        repository.revoke("2", now=9.0)
