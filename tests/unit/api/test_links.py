"""Signed links: what they stand for, and every way in which they end or fail."""

import json

import pytest

from facecli.api.links import MAX_EXPIRY, Links, _encoded
from facecli.core.auth import Principal
from facecli.core.errors import InvalidInput, Unauthenticated
from tests.support.storage import Clock

PATH = "/outputs/0123/clip.mp4"
ANN = Principal(user="ann", token_id="t1")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def links(clock: Clock) -> Links:
    return Links(b"k" * 32, clock=clock)


def value_of(links: Links, principal: Principal | None = ANN, expires_in: int = 60) -> str:
    link = links.create(PATH, principal=principal, expires_in=expires_in)
    path, _, value = link.target.partition("?link=")
    assert path == PATH
    return value


@pytest.mark.parametrize("principal", [ANN, Principal(user="root", admin=True, token_id="t"), None])
def test_a_link_stands_for_the_principal_that_made_it(links: Links, principal: Principal | None) -> None:
    assert links.holder(PATH, value_of(links, principal)) == principal


def test_a_link_expires_to_the_second(links: Links, clock: Clock) -> None:
    value = value_of(links, expires_in=60)
    clock.now += 59
    links.holder(PATH, value)
    clock.now += 1
    with pytest.raises(Unauthenticated, match="has expired"):
        links.holder(PATH, value)


@pytest.mark.parametrize("seconds", [0, -1, MAX_EXPIRY + 1])
def test_a_link_lives_a_week_at_most(links: Links, seconds: int) -> None:
    with pytest.raises(InvalidInput, match="1 s to 7 days"):
        value_of(links, expires_in=seconds)


def test_a_link_is_good_for_its_own_path_only(links: Links) -> None:
    with pytest.raises(Unauthenticated, match="not valid"):
        links.holder("/outputs/0123/other.mp4", value_of(links))


def test_a_link_of_another_key_is_worth_nothing(links: Links, clock: Clock) -> None:
    with pytest.raises(Unauthenticated, match="not valid"):
        Links(b"x" * 32, clock=clock).holder(PATH, value_of(links))


def test_no_byte_of_a_link_can_be_changed(links: Links) -> None:
    value = value_of(links)
    claims, _, signature = value.partition(".")
    forged = _encoded(json.dumps([2_000_000, ["bob", True, ""]]).encode())
    changed = [value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :] for at in range(len(value))]
    for bad in (*changed, f"{forged}.{signature}", claims, f".{signature}", "", ".", "é.é", "a" * 10_000):
        with pytest.raises(Unauthenticated, match="not valid"):
            links.holder(PATH, bad)
