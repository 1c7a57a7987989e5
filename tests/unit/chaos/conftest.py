"""Sockets for both sides of a proxy."""

from collections.abc import Iterator

import pytest

from tests.support.sockets import Ends


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()
