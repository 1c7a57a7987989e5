"""Files whose labels cannot be read, because they are no videos."""

from pathlib import Path

import pytest

from facecli.core.errors import MediaRefused
from facecli.core.video.media import never
from facecli.media.labels.labeller import FfmpegLabeller

pytestmark = pytest.mark.media


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"v\.mp4 is empty"),
        (b"hello\n", r"v\.mp4 is in text format; labels are read from videos"),
        (b"\x89PNG\r\n\x1a\n", r"v\.mp4 is in PNG format; labels are read from videos"),
        (bytes(range(256)), r"v\.mp4 is not in MP4, MOV, .* format"),
    ],
)
def test_a_file_that_is_no_video_is_refused_with_what_it_is(
    content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "v.mp4").write_bytes(content)
    with pytest.raises(MediaRefused, match=message):
        FfmpegLabeller().findings(tmp_path / "v.mp4", stopped=never)
