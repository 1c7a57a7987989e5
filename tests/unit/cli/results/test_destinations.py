"""`-o`: one rule for `swap`, `task download` and `file download`."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import DEADLINE, facecli, process, words
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.usefixtures("user")

Command = Callable[..., tuple[object, ...]]


@pytest.fixture(params=["swap", "task download", "file download"])
def command(request: pytest.FixtureRequest, completed: str, samples: Samples) -> Command:
    """A command line that writes a file to `-o`."""
    if request.param == "swap":
        return lambda *more: ("swap", samples.face, samples.clip, *more)
    if request.param == "task download":
        return lambda *more: ("task", "download", completed, *more)
    url = facecli("task", "status", completed, "--json").object["video_url"]
    return lambda *more: ("file", "download", url, *more)


@pytest.fixture
def content(command: Command, tmp_path: Path) -> bytes:
    """The bytes that the command writes."""
    file = tmp_path / "content"
    assert facecli(*command("-o", file)).code == 0
    return file.read_bytes()


def test_an_existing_file_is_replaced_only_on_request_and_keeps_its_mode(
    command: Command, content: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"mine")
    out.chmod(0o640)
    refused = facecli(*command("-o", out, "--json"))
    assert (refused.code, refused.out) == (2, "")
    assert refused.error["message"] == (
        f"{out} already exists and is different; --force replaces it, --skip-existing keeps it"
    )
    kept = facecli(*command("-o", out, "--skip-existing"))
    assert (kept.code, kept.out, out.read_bytes()) == (0, f"{out}\n", b"mine")
    assert facecli(*command("-o", out, "--force")).code == 0
    assert (out.read_bytes(), stat.S_IMODE(out.stat().st_mode)) == (content, 0o640)


def test_a_file_that_is_the_result_already_is_a_success(
    command: Command, content: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "content"
    before = out.stat()
    again = facecli(*command("-o", out))
    assert (again.code, again.out) == (0, f"{out}\n")
    assert f"{out} is the " in again.err
    assert (out.stat().st_ino, out.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_symlink_is_followed(command: Command, content: bytes, tmp_path: Path) -> None:
    target, link, dangling = tmp_path / "target", tmp_path / "link", tmp_path / "dangling"
    target.write_bytes(b"old")
    link.symlink_to(target)
    dangling.symlink_to("new")
    assert facecli(*command("-o", link, "--force")).code == 0
    assert facecli(*command("-o", dangling)).code == 0
    assert (link.is_symlink(), target.read_bytes()) == (True, content)
    assert (dangling.is_symlink(), (tmp_path / "new").read_bytes()) == (True, content)


def test_a_directory_gets_a_named_file(command: Command, content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    ran = facecli(*command("-o", folder, "-q"))
    assert (ran.code, ran.out) == (0, f"{folder}/clip.mp4\n")
    assert (folder / "clip.mp4").read_bytes() == content


def test_standard_output_and_pipes_get_the_bytes_alone(
    command: Command, content: bytes, tmp_path: Path
) -> None:
    for out in ("-", "/dev/stdout"):
        done = subprocess.run(words(*command("-o", out)), capture_output=True, timeout=DEADLINE, check=True)
        assert done.stdout == content
    with (tmp_path / "redirected").open("wb") as file:
        subprocess.run(words(*command("-o", "/dev/stdout")), stdout=file, timeout=DEADLINE, check=True)
    assert (tmp_path / "redirected").read_bytes() == content
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        assert facecli(*command("-o", tmp_path / "pipe", "-q")).code == 0
        assert reader.communicate(timeout=DEADLINE)[0] == content
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    refused = process(*command("-o", "-", "--json"))
    assert (refused.code, refused.out) == (2, "")
    assert "would both go to standard output" in refused.error["message"]


def test_the_null_device_is_written_through(command: Command) -> None:
    assert facecli(*command("-o", os.devnull, "-q")).code == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_the_longest_name_is_written(command: Command, content: bytes, tmp_path: Path) -> None:
    out = tmp_path / ("n" * 251 + ".mp4")
    assert facecli(*command("-o", out, "-q")).out == f"{out}\n"
    assert out.read_bytes() == content
    assert {path.name for path in tmp_path.iterdir()} == {"content", out.name}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none/out.mp4", "create it first"),
        ("none/", "does not exist; create it first"),
        ("file/out.mp4", "is not a directory"),
        ("loop", "Too many levels of symbolic links"),
        ("n" * 256, "File name too long"),
        ("socket", "is a device or a socket, not a regular file"),
    ],
    ids=["no directory", "no directory with slash", "file as directory", "loop", "long", "socket"],
)
def test_an_unusable_destination_is_refused_before_a_byte_is_sent(
    name: str, expected: str, samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        ran = facecli("swap", samples.face, samples.clip, "-o", name, "--json", "--force")
        assert stat.S_ISSOCK((tmp_path / "socket").stat().st_mode)
    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.error["message"]
    assert facecli("file", "list").out == ""


def test_an_input_is_never_overwritten(samples: Samples, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(samples.clip.read_bytes())
    (tmp_path / "link").symlink_to(clip)
    for out in (clip, tmp_path / "link", tmp_path):
        ran = facecli("swap", samples.face, clip, "-o", out, "--force", "--json")
        assert (ran.code, "is one of the inputs" in ran.error["message"]) == (2, True)
    assert facecli("file", "list").out == ""


def test_force_and_skip_existing_exclude_each_other(samples: Samples, tmp_path: Path) -> None:
    ran = facecli("swap", samples.face, samples.clip, "-o", tmp_path / "o", "--force", "--skip-existing")
    assert (ran.code, "exclude each other" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("", "the output file has no name; name one with -o"),
        ("/proc/x.mp4", "cannot write /proc/x.mp4: no file can be created in /proc: it takes no files"),
        ("/sys/x.mp4", "cannot write /sys/x.mp4: "),
    ],
)
def test_a_place_that_takes_no_files_is_refused_before_any_work(
    command: Command, out: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = facecli(*command("-o", out, "--json"))
    assert (ran.code, ran.out) == (2, "")
    assert ran.error["message"].startswith(expected)
    assert ".part" not in ran.err
    assert len(ran.err.splitlines()) == 1  # no progress: nothing was sent
