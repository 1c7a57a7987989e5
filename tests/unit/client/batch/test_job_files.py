"""Job files: the same jobs from TOML, CSV and JSON lines, and what is refused, with its line."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.client.batch import job_file
from facecli.client.batch.job import Job, JobDefaults
from facecli.client.batch.job_file import Format, read_jobs
from facecli.config.amounts import parse_time
from facecli.core.errors import InvalidInput
from facecli.core.video.plan import VideoPart
from facecli.tasks.provenance.terms import Consent, Terms


def preset(name: str) -> tuple[str, dict[str, str]]:
    if name != "soft":
        raise InvalidInput(f"preset {name} not found")
    return "mesh", {"blend": "0.5", "seed": "1"}


DEFAULTS = JobDefaults(parse_time=parse_time, preset=preset, engine="mock", options={"seed": "9"})

TOML = """
[defaults]
output = "out/{number}.mp4"

[[job]]
face = "a.jpg"
video = "b, c.mp4"
options = { seed = 3, loud = true }
from = "1m2s"

[[job]]
face = "ä.jpg"
video = "/d.mp4"
output = "x.mp4"
preset = "soft"
to = 2.5
"""
CSV = (
    "\ufeffface,video,output,from,to,option.seed,option.loud,preset\r\n"
    'a.jpg,"b, c.mp4",out/{number}.mp4,1m2s,,3,true,\r\n'
    "\r\n"
    "ä.jpg,/d.mp4,x.mp4,,2.5,,,soft\r\n"
)
JSONL = (
    '{"face": "a.jpg", "video": "b, c.mp4", "output": "out/{number}.mp4", "from": "1m2s",'
    ' "options": {"seed": 3, "loud": true}}\r\n\r\n'
    '{"face": "ä.jpg", "video": "/d.mp4", "output": "x.mp4", "to": 2.5, "preset": "soft"}\r\n'
)


def read(text: str | bytes, format: str) -> list[Job]:
    data = text if isinstance(text, bytes) else text.encode()
    return read_jobs("-", stdin=io.BytesIO(data), format=Format(format), defaults=DEFAULTS)


@pytest.mark.parametrize(("format", "text"), [("toml", TOML), ("csv", CSV), ("jsonl", JSONL)])
def test_every_format_says_the_same_jobs(format: str, text: str, tmp_path: Path) -> None:
    one, two = read(text, format)
    assert (one.face, one.video, one.output) == (Path("a.jpg"), Path("b, c.mp4"), "out/{number}.mp4")
    assert (one.engine, one.options) == ("mock", {"seed": "3", "loud": "true"})
    assert one.part == VideoPart(start=62_000_000, end=None)
    assert (two.face, two.video, two.output) == (Path("ä.jpg"), Path("/d.mp4"), "x.mp4")
    assert (two.engine, two.options) == ("mesh", {"blend": "0.5", "seed": "1"})
    assert two.part == VideoPart(start=0, end=2_500_000)
    file = tmp_path / f"jobs.{format.upper()}"
    file.write_bytes(text.encode())
    named = read_jobs(str(file), stdin=io.BytesIO(), format=None, defaults=DEFAULTS)
    assert [job.face for job in named] == [tmp_path / "a.jpg", tmp_path / "ä.jpg"]
    assert named[1].video == Path("/d.mp4")


@pytest.mark.parametrize(
    ("format", "text", "expected"),
    [
        ("toml", TOML + 'vidoe = "x"\n', "job 2 (line 17): unknown field 'vidoe'; did you mean video?"),
        ("toml", "[defualts]\n", "unknown field 'defualts'; did you mean defaults?"),
        ("toml", '[defaults]\nfcae = "x"\n', "[defaults]: unknown field 'fcae'; did you mean face?"),
        ("toml", "[[job]]\nface = \n", "not valid TOML: Invalid value (at line 2"),
        ("toml", "a = " + "[" * 50_000, "not valid TOML"),
        ("toml", "a = " + "1" * 5000, "not valid TOML"),
        ("toml", "job = 3\n", "write each job as a table [[job]]"),
        ("toml", 'job = ["a"]\n', "write each job as a table [[job]]"),
        ("toml", "defaults = 3\n", "[defaults] must be a table"),
        ("toml", '[[job]]\nface = 3\nvideo = "b"\n', "job 1 (line 1): face must be a text"),
        ("toml", '[[job]]\nface = "a"\n', "job 1 (line 1): video is missing; name a file"),
        ("toml", '[[job]]\nface="a"\nvideo="b"\noptions=3\n', "options must be at most 100 pairs"),
        ("toml", '[[job]]\nface="a"\nvideo="b"\noptions.x=[]\n', "option 'x' must be a short text"),
        ("toml", '[[job]]\nface="a"\nvideo="b"\npreset="x"\n', "job 1 (line 1): preset x not found"),
        ("toml", "", "standard input has no jobs"),
        ("csv", "", "it has no header; begin it with the line face,video,output"),
        ("csv", "face,video\n", "standard input has no jobs"),
        ("csv", "face,vidoe\n", "line 1: unknown field 'vidoe'; did you mean video?"),
        ("csv", "\n\nfoo,video\n", "line 3: unknown field 'foo'; the fields are face, video"),
        ("csv", "face,video,face\n", "line 1: the column face is there twice"),
        ("csv", "face,video\na,b,c\n", "line 2: 3 values for the 2 columns of the header"),
        ("csv", 'face,video\n"a\nb",c\nd\n', "line 4: 1 values for the 2 columns of the header"),
        ("csv", 'face,video\na,"b\n', "not valid CSV"),
        ("csv", "face,video,from\na,b,soon\n", "job 1 (line 2): from: 'soon' is not a time"),
        ("csv", "face,video,from,to\na,b,3,2\n", "job 1 (line 2): the part of the video from 3 s to 2 s"),
        ("csv", "face,video,consent\na,b,c.pdf\n", "job 1 (line 2): there is no file c.pdf"),
        ("csv", "face,video,no_label\na,b," + "x" * 501, "job 1 (line 2): the reason of a waiver"),
        ("csv", "face,video\n" + "a" * 5000 + ",b\n", "face must be a text of at most 4096 characters"),
        ("csv", "face,video\n" + "a" * 200_000 + ",b\n", "line 2: not valid CSV: field larger than"),
        ("jsonl", '\n{"face": 1}', "job 1 (line 2): face must be a text"),
        ("jsonl", "[1]", 'line 1: a job must be an object such as {"face": …, "video": …}'),
        ("jsonl", '{"face": "a", "face": "b"}', "line 1: a field is there twice"),
        ("jsonl", '{"from": NaN}', "line 1: NaN is no value"),
        ("jsonl", "{" * 100_000, "line 1: not valid JSON"),
        ("jsonl", "[" * 100_000, "line 1: not valid JSON"),
        ("jsonl", '{"face": "a", "video": "b", "x\\u001b": 1}', r"unknown field 'x\\x1b'"),
        ("jsonl", '{"face": "a", "video": "b", "from": true}', "from must be a time such as 3s"),
    ],
)
def test_a_wrong_job_file_is_refused_with_its_line(format: str, text: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(text, format)
    assert refused.value.message.startswith("standard input")
    assert expected in refused.value.message
    assert len(refused.value.message) < 500


def test_each_job_may_have_a_consent_a_waiver_and_a_webhook(tmp_path: Path) -> None:
    (tmp_path / "ann.pdf").write_bytes(b"%PDF")
    (tmp_path / "jobs.csv").write_text(
        "face,video,consent,no_label,notify\n"
        "a,b,ann.pdf,our test,https://hooks.example.org/\n"
        'a,b,"I agree. Bob",,\n'
        "a,b,,,\n"
    )
    shared = Terms(consent=Consent(sha256="0" * 64))
    defaults = replace(DEFAULTS, terms=shared, notify="https://all.example.org/")
    one, two, three = read_jobs(
        str(tmp_path / "jobs.csv"), stdin=io.BytesIO(), format=None, defaults=defaults
    )
    file = Consent(sha256=hashlib.sha256(b"%PDF").hexdigest(), kind="file", name="ann.pdf")
    assert (one.terms, one.notify) == (Terms(waiver="our test", consent=file), "https://hooks.example.org/")
    text = Consent(sha256=hashlib.sha256(b"I agree. Bob").hexdigest(), kind="text")
    assert (two.terms, two.notify) == (Terms(consent=text), "https://all.example.org/")
    assert three.terms == shared


@pytest.mark.parametrize("format", ["toml", "csv", "jsonl"])
def test_other_encodings_are_refused(format: str) -> None:
    with pytest.raises(InvalidInput, match="perhaps in UTF-16"):
        read("face,video".encode("utf-16"), format)
    with pytest.raises(InvalidInput, match="line 2 is not in UTF-8"):
        read(b"face,video\n\xff,b\n", format)


def test_files_and_their_number_of_jobs_are_bounded() -> None:
    text = "\n".join(json.dumps({"face": "a", "video": "b"}) for _ in range(10_001))
    with pytest.raises(InvalidInput, match="more than 10000 jobs; split it"):
        read(text, "jsonl")
    with pytest.raises(InvalidInput, match="larger than 16 MiB; split it"):
        read(bytes(job_file.MAX_SIZE + 1), "csv")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for name, expected in (
        (str(tmp_path / "none.csv"), "none.csv: No such file or directory"),
        (str(tmp_path / "jobs.txt"), "jobs.txt by its name; pass --format toml, csv, jsonl"),
        ("a\0.csv", "cannot read a\\x00.csv"),
    ):
        with pytest.raises(InvalidInput) as refused:
            read_jobs(name, stdin=io.BytesIO(), format=None, defaults=DEFAULTS)
        assert expected in refused.value.message
