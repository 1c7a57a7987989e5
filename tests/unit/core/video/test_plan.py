"""Parts of a video: which ones can be asked for, and how they are shown."""

import pytest

from facecli.core.errors import InvalidInput
from facecli.core.video.plan import WHOLE, VideoPart


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (VideoPart(start=5_000_000, end=3_000_000), "the part of the video from 5 s to 3 s is empty"),
        (VideoPart(start=1_500_000, end=1_500_000), "the part of the video from 1.5 s to 1.5 s is empty"),
        (VideoPart(end=0), "the part of the video from 0 s to 0 s is empty"),
        (VideoPart(start=-1), "a part of a video begins at 0 s or later, not at -0.000001 s"),
    ],
    ids=str,
)
def test_an_empty_or_negative_part_is_refused(part: VideoPart, sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        part.check()
    assert refused.value.message.startswith(sentence)


def test_a_part_is_shown_by_its_ends() -> None:
    assert str(VideoPart(start=3_000_000, end=62_500_000)) == "from 3 s to 62.5 s"
    assert str(VideoPart(start=100)) == "from 0.0001 s on"
    WHOLE.check()
