"""The client recognises every container that ffmpeg writes, whatever its name or the system's MIME types."""

import shutil
from pathlib import Path

import pytest

from facecli.client.input_file import file_to_send
from facecli.core.progress import NullProgress
from facecli.uploads.upload import FileType
from tests.unit.media.conftest import Ffmpeg

pytestmark = pytest.mark.media


@pytest.mark.parametrize(
    ("muxer", "codec", "extensions"),
    [
        ("mpegts", "libx264", ("ts", "TS", "mts", "MTS", "m2ts")),
        ("mp4", "libx264", ("mp4", "M4V", "3gp", "3g2")),
        ("3gp", "libx264", ("3gp", "3GP")),
        ("mov", "libx264", ("mov", "qt", "MOV")),
        ("matroska", "libx264", ("mkv",)),
        ("webm", "libvpx", ("webm",)),
        ("avi", "libx264", ("avi",)),
    ],
)
def test_a_video_is_recognised(
    muxer: str, codec: str, extensions: tuple[str, ...], ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    plain = tmp_path / "clip"
    source = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=0.4", "-pix_fmt", "yuv420p")
    ffmpeg(*source, "-c:v", codec, "-f", muxer, plain)
    named = [plain, *(Path(shutil.copy(plain, tmp_path / f"clip.{extension}")) for extension in extensions)]
    assert [file_to_send(path, NullProgress()).file_type for path in named] == [FileType.VIDEO] * len(named)
