"""`facecli upload`: URLs on stdout, diagnostics on stderr; a bad file does not stop the others."""

import os
from pathlib import Path

import pytest

from facecli.core.checksums import crc32c
from tests.support.cli import UPLOAD, facecli, process
from tests.unit.cli.conftest import Samples

pytestmark = pytest.mark.usefixtures("user")


def test_urls_go_to_stdout_and_bars_to_stderr(samples: Samples) -> None:
    ran = facecli("upload", samples.face, samples.clip)
    assert ran.code == 0
    assert [line.rsplit("/", 1)[-1] for line in ran.lines] == ["face.png", "clip.mp4"]
    assert all(line.startswith("/uploads/") for line in ran.lines)
    assert "face.png: 100%" in ran.err
    assert "/uploads/" not in ran.err


def test_quiet_prints_only_the_urls(samples: Samples) -> None:
    plain, quiet = facecli("upload", samples.face), facecli("upload", samples.face, "-q")
    assert (quiet.out, quiet.err) == (plain.out, "")


def test_json_reports_sent_and_skipped_bytes(samples: Samples) -> None:
    size = samples.clip.stat().st_size
    first, again = (facecli("upload", samples.clip, "--json").object for _ in range(2))
    assert set(first) == set(again) == UPLOAD
    assert first["crc32c"] == f"{crc32c(samples.clip.read_bytes()):08x}"
    assert (first["size"], first["bytes_sent"], first["bytes_skipped"]) == (size, size, 0)
    assert (again["bytes_sent"], again["bytes_skipped"]) == (0, size)
    assert again["file_url"] == first["file_url"]


def test_no_resume_starts_a_new_upload(samples: Samples) -> None:
    first = facecli("upload", samples.face, "-q")
    second = facecli("upload", samples.face, "-q", "--no-resume")
    assert first.out != second.out


def test_the_chunk_size_accepts_units(samples: Samples) -> None:
    size = samples.clip.stat().st_size
    sent = facecli("upload", samples.clip, "--chunk-size", "64KiB", "--json").object
    assert sent["chunks"] == -(-size // 65536)


def test_an_unreadable_file_does_not_stop_the_others(samples: Samples, tmp_path: Path) -> None:
    ran = facecli("upload", samples.face, tmp_path / "gone.mp4", tmp_path, samples.clip)
    assert ran.code == 2
    assert len(ran.lines) == 2
    assert f"facecli: cannot read {tmp_path / 'gone.mp4'}: No such file or directory" in ran.err


def test_urls_are_printed_in_the_order_of_the_arguments(samples: Samples) -> None:
    facecli("upload", samples.clip)  # now known to the server, which answers for it first
    ran = facecli("upload", samples.face, samples.clip, "-q")
    assert [line.rsplit("/", 1)[-1] for line in ran.lines] == ["face.png", "clip.mp4"]


def test_every_file_is_checked_before_the_first_is_sent(samples: Samples, tmp_path: Path) -> None:
    bad = [tmp_path / "gone.mp4", tmp_path, tmp_path / "pipe.mp4", tmp_path / "empty.mp4"]
    os.mkfifo(bad[2])
    bad[3].touch()
    ran = facecli("upload", *[samples.clip] * 2, *bad, "--progress", "tqdm")
    errors = [line for line in ran.err.splitlines() if line.startswith("facecli: ")]
    assert (ran.code, len(ran.lines)) == (2, 2)
    assert errors == [
        f"facecli: cannot read {bad[0]}: No such file or directory",
        f"facecli: {tmp_path} is a directory; pass the files in it, such as {tmp_path}/*.mp4",
        f"facecli: {bad[2]} is not a regular file; facecli upload - --name NAME reads standard input",
        f"facecli: {bad[3]} is empty",
    ]
    assert ran.err.index("clip.mp4: ") > ran.err.index(errors[-1])


def test_json_errors_come_last_on_stderr(samples: Samples, tmp_path: Path) -> None:
    command = ("upload", tmp_path / "gone.mp4", samples.face, "--json", "--progress", "tqdm")
    ran = facecli(*command)
    assert ran.code == 2
    assert ran.object["name"] == "face.png"
    assert "face.png: 100%" in ran.err
    assert "gone.mp4" in ran.error["message"]


def test_a_name_needs_a_single_file(samples: Samples) -> None:
    ran = facecli("upload", samples.face, samples.clip, "--name", "one.png", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error["message"] == "--name needs a single file, not 2; upload them one by one"


def test_a_name_replaces_the_file_name_and_implies_the_type(samples: Samples, tmp_path: Path) -> None:
    nameless = tmp_path / "download"
    nameless.write_bytes(samples.clip.read_bytes())
    assert facecli("upload", nameless, "--name", "other.mp4", "-q").out.endswith("/other.mp4\n")


def test_the_type_of_a_file_without_suffix_is_that_of_its_bytes(samples: Samples, tmp_path: Path) -> None:
    nameless, unknown = tmp_path / "download", tmp_path / "noise"
    nameless.write_bytes(samples.clip.read_bytes())
    unknown.write_bytes(b"\0\1\2\3" * 100)
    assert facecli("upload", nameless).code == 0
    assert [file["file_type"] for file in facecli("file", "list", "--json").objects] == ["video"]
    ran = facecli("upload", unknown, "--json")
    assert (ran.code, ran.error["message"]) == (
        2,
        f"cannot tell whether {unknown} is an image or a video; pass --type",
    )
    assert facecli("upload", unknown, "--type", "video").code == 0


def test_a_name_that_is_not_utf_8_must_be_replaced(samples: Samples, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    odd.write_bytes(samples.clip.read_bytes())
    ran = facecli("upload", odd, samples.face, "--json")
    assert (ran.code, ran.object["name"]) == (2, "face.png")
    assert "'caf\\udce9.mp4' is not valid UTF-8; rename the file" in ran.error["message"]
    assert facecli("upload", odd, "--name", "cafe.mp4", "-q").out.endswith("/cafe.mp4\n")


@pytest.mark.parametrize("name", ["Shot 10.32.07\u202fAM.png", "写真\u3000👩\u200d🚀.png", "שלום\u200f.png"])
def test_upload_create_and_swap_accept_every_name_that_people_use(
    name: str, samples: Samples, tmp_path: Path
) -> None:
    face = tmp_path / name
    face.write_bytes(samples.face.read_bytes())
    assert facecli("upload", face, "--json").object["name"] == name
    created = facecli("task", "create", "--image", face, "--video", samples.clip, "--option", "delay=600")
    assert created.code == 0, created.err
    facecli("task", "cancel", created.out.strip())
    swapped = facecli("swap", face, samples.clip, "-o", tmp_path / "out.mp4", "--option", "fail_at=0")
    assert (swapped.code, "fail_at=0" in swapped.err) == (3, True)


def test_a_name_is_escaped_for_a_limited_terminal(samples: Samples, tmp_path: Path) -> None:
    umlaut = tmp_path / "ü.mp4"
    umlaut.write_bytes(samples.clip.read_bytes())
    assert facecli("upload", umlaut, "--json").object["name"] == "ü.mp4"
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = process("upload", umlaut, env=ascii_only)
    assert ran.code == 0
    assert "\\xfc.mp4: 100%" in ran.err


def test_an_argument_that_is_not_utf_8_is_rejected(samples: Samples) -> None:
    ran = facecli("upload", samples.clip, "--user", "\udcff", "--json")
    assert (ran.code, ran.error["message"]) == (2, "'\\udcff' is not valid UTF-8")


def test_standard_input_is_uploaded_under_a_name(samples: Samples, user: str) -> None:
    with samples.clip.open("rb") as clip:
        ran = process("upload", "-", "--name", "piped.mp4", "--json", stdin=clip)
    assert ran.code == 0, ran.err
    assert (ran.object["name"], ran.object["size"]) == ("piped.mp4", samples.clip.stat().st_size)
    again = samples.clip.with_name("piped.mp4")
    again.write_bytes(samples.clip.read_bytes())
    assert facecli("upload", again, "--json").object["upload_id"] == ran.object["upload_id"]


def test_standard_input_without_a_name_is_rejected() -> None:
    ran = facecli("upload", "-", "--json")
    assert (ran.code, ran.error["message"]) == (
        2,
        "standard input has no name; pass one, for example --name clip.mp4",
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["upload"], "Missing argument 'PATH…'"),
        (["upload", "a.mp4", "--chunk-size", "many"], "'--chunk-size': 'many' is not a size; write 4096"),
        (
            ["upload", "a.mp4", "--retry-for", "-1"],
            "'--retry-for': '-1' is not a time; write 90, 1m30s",
        ),
        (["upload", "a.mp4", "--type", "sound"], "'--type': 'sound' is not one of 'image', 'video'"),
        (["upload", "a.mp4", "--progress", "loud"], "'--progress': 'loud' is not one of 'auto'"),
        (["upload", "a.mp4", "--jsn"], "No such option: --jsn"),
        (["uplaod", "a.mp4"], "No such command 'uplaod'"),
        (["upload", "a.mp4", "--server", "here"], "--server 'here' is not HOST:PORT"),
        (["upload", "a.mp4", "--profile", "studio"], "profile studio not found in"),
        (["task"], "Missing command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_invalid_command_line_is_explained(arguments: list[str], expected: str) -> None:
    ran = facecli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.err
    assert "Traceback" not in ran.err


def test_a_file_that_looks_like_an_option_is_recognized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "-dash.mp4").touch()
    monkeypatch.chdir(tmp_path)
    ran = facecli("upload", "-dash.mp4", "--json")
    assert (ran.code, ran.error["hint"]) == (2, "for the file of this name write ./-dash.mp4")
    ran = facecli("upload", "-gone.mp4", "--json")
    assert (ran.code, ran.error["hint"]) == (2, "see facecli upload --help")


def test_a_usage_error_refers_to_the_help_of_its_command() -> None:
    ran = facecli("upload", "--json")
    assert ran.error["hint"] == "see facecli upload --help"
