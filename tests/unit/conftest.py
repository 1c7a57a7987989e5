"""A fresh place, and an inbox on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.uploads.service import Inbox
from tests.support.storage import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


@pytest.fixture
def inbox(place: Place) -> Inbox:
    return place.inbox()
