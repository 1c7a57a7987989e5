"""The likeness of a swap, which `facecli demo` checks: the unswapped clip fails."""

from pathlib import Path

import pytest

from facecli.bench.samples import check_likeness
from facecli.core.errors import BytesDiffer
from facecli.core.video.likeness import Likeness
from facecli.engines.mesh.likeness import measure_likeness
from facecli.media.ffmpeg import FfmpegMedia

pytestmark = pytest.mark.media


def test_the_unswapped_clip_is_recognised_as_such(tmp_path: Path) -> None:
    media = FfmpegMedia()
    photo, clip = media.make_portraits(tmp_path, seconds=1)
    likeness = measure_likeness(media, photo=photo, before=clip, after=clip)
    assert (len(likeness.before), likeness.before) == (likeness.frames, likeness.after)
    assert min(likeness.before) > 0.6
    with pytest.raises(BytesDiffer, match=r"does not resemble .*face\.jpg: distance 0\.\d\d"):
        check_likeness(likeness, photo=photo, result=clip)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([0.7, 0.7], [0.4, 0.5], ""),
        ([0.7, 0.7], [0.4], "1 of 2 frames"),  # one frame without a face
        ([0.7, 0.7], [], "none of 2 frames has a face"),
        ([0.7, 0.7], [0.3, 0.7], "distance 0.50"),  # one frame unswapped
        ([0.5, 0.7], [0.4, 0.5], "distance 0.45"),  # no nearer than before
        ([0.9, 0.9], [0.7, 0.7], "below 0.6 means the same person"),
        ([], [0.4, 0.4], "2 of 2 frames"),  # nothing to compare with
    ],
)
def test_every_sampled_face_must_be_nearer_than_all_before(
    before: list[float], after: list[float], says: str
) -> None:
    likeness = Likeness(before=before, after=after, frames=2)
    assert likeness.swapped == (not says)
    assert says in likeness.text
