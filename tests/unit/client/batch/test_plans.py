"""Plans of batches: outputs, inputs with the same bytes, and jobs that need not or cannot run."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from facecli.client.batch.job import Job, JobDefaults
from facecli.client.batch.plan import Action, Plan, plan_jobs
from facecli.client.batch.selection import Combine, select, selected_jobs
from facecli.config.amounts import parse_time
from facecli.core.errors import InvalidInput
from facecli.core.video.plan import VideoPart
from facecli.tasks.provenance.terms import Terms
from facecli.tasks.task import Priority
from facecli.uploads.upload import FileType

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
MP4 = b"\0\0\0\x18ftypmp42" + bytes(100)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: two faces and three clips, one of them in a directory below."""
    monkeypatch.chdir(tmp_path)
    for name, data in {
        "faces/a.png": PNG,
        "faces/b.png": PNG + b"b",
        "faces/notes.txt": b"<html>\nnot found</html>",
        "clips/1.mp4": MP4,
        "clips/2.mp4": MP4 + b"2",
        "clips/more/3.mp4": MP4 + b"3",
        "clips/.hidden.mp4": MP4,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


def job(number: int = 1, *, face: str = "faces/a.png", video: str = "clips/1.mp4", output: str = "") -> Job:
    return Job(
        number=number,
        face=Path(face),
        video=Path(video),
        output=output or "out/{number}.mp4",
        where=f"line {number}",
    )


def plan(*jobs: Job, root: str = ".", confined: bool = True, overwrite: bool = False) -> Plan:
    return plan_jobs(jobs, root=Path(root), confined=confined, overwrite=overwrite)


@pytest.mark.usefixtures("folder")
def test_existing_outputs_are_skipped_and_unusable_inputs_refused() -> None:
    Path("out").mkdir()
    Path("out/1.mp4").touch()
    Path("out/4.mp4").mkdir()
    jobs = [
        job(1, video="clips/none.mp4"),
        job(2),
        job(3, video="clips/none.mp4"),
        job(4),
        job(5, face="clips/1.mp4", video="faces/a.png"),
        job(6, face="faces/notes.txt"),
    ]
    planned = plan(*jobs)
    assert [each.action for each in planned.jobs] == [
        Action.SKIP,
        Action.RUN,
        Action.REFUSE,
        Action.REFUSE,
        Action.REFUSE,
        Action.REFUSE,
    ]
    errors = [each.error.message for each in planned.jobs if each.error]
    for error, expected in zip(
        errors,
        (
            "clips/none.mp4: No such file",
            "4.mp4 is a directory",
            "name the picture first",
            "notes.txt is neither",
        ),
        strict=True,
    ):
        assert expected in error
    assert [each.shown for each in planned.jobs][:2] == ["out/1.mp4", "out/2.mp4"]
    assert (planned.files, planned.bytes) == (2, len(PNG) + len(MP4))
    assert plan(*jobs, overwrite=True).count(Action.SKIP) == 0


@pytest.mark.usefixtures("folder")
def test_the_same_bytes_are_sent_once_under_the_first_name(folder: Path) -> None:
    Path("faces/copy.png").write_bytes(PNG)
    Path("faces/other.png").write_bytes(PNG[:-1] + b"x")
    Path("faces/link.png").hardlink_to("faces/b.png")
    names = ("a", "copy", "other", "b", "link")
    planned = plan(*(job(number, face=f"faces/{name}.png") for number, name in enumerate(names, 1)))
    assert [each.image.stem for each in planned.jobs] == ["a", "a", "other", "b", "b"]
    assert planned.files == 4
    # A plan in which the first of them has nothing to do sends the others under the same name.
    Path("out").mkdir()
    Path("out/1.mp4").touch()
    assert plan(*(job(number, face=f"faces/{name}.png") for number, name in enumerate(names, 1))).jobs[
        1
    ].image == Path("faces/a.png")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (["a.mp4", "./a.mp4"], "job 1 (line 1) and job 2 (line 2) have the same output"),
        (["out/{face.stem}.mp4"] * 2, "fields such as {video.stem}, {face.stem} or {number} tell"),
        (["link/a.mp4", "out/a.mp4"], "have the same output"),
        (["clips/1.mp4"], "the output of job 1 (line 1) is an input of job 1 (line 1)"),
        (["../a.mp4"], "job 1 (line 1): output ../a.mp4 is outside of "),
        (["out/../../a.mp4"], "is outside of"),
        (["out/../a.mp4"], "is outside of"),
        (["/a.mp4"], "is outside of"),
        (["{face.stm}.mp4"], "job 1 (line 1): output {face.stm}.mp4: unknown field {face.stm}"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_anything_starts(
    outputs: list[str], expected: str
) -> None:
    Path("out").mkdir()
    Path("link").symlink_to("out")
    with pytest.raises(InvalidInput) as refused:
        plan(*(job(number, output=output) for number, output in enumerate(outputs, 1)))
    assert expected in refused.value.message


@pytest.mark.usefixtures("folder")
def test_a_directory_that_takes_no_files_is_found_out_before_anything_is_sent(folder: Path) -> None:
    outputs = ("/proc/deep/out.mp4", f"{folder}/faces/a.png/out.mp4", f"{folder}/new/deep/out.mp4")
    found = plan(*(job(number, output=each) for number, each in enumerate(outputs, 1)), confined=False)
    assert [each.action for each in found.jobs] == [Action.REFUSE, Action.REFUSE, Action.RUN]
    messages = [each.error.message for each in found.jobs if each.error]
    assert messages[0].startswith("cannot write /proc: no file can be created in /proc")
    assert messages[1].endswith("a.png is not a directory")


def test_outputs_of_a_command_line_may_be_anywhere(folder: Path) -> None:
    planned = plan(
        job(1, output="../1.mp4"), job(2, output=f"{folder}/2.mp4"), job(3, output="/x.mp4"), confined=False
    )
    assert [os.path.normpath(each.output) for each in planned.jobs] == [
        str(folder.parent / "1.mp4"),
        str(folder / "2.mp4"),
        "/x.mp4",
    ]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "recursive", "expected"),
    [
        (["clips"], False, ["clips/1.mp4", "clips/2.mp4"]),
        (["clips/"], True, ["clips/1.mp4", "clips/2.mp4", "clips/more/3.mp4"]),
        (["clips/2.mp4", "clips", "./clips/1.mp4"], False, ["clips/2.mp4", "clips/1.mp4"]),
        (["clips/*.mp4"], False, ["clips/1.mp4", "clips/2.mp4"]),
        (["clips/**/*.mp4"], False, ["clips/1.mp4", "clips/2.mp4", "clips/more/3.mp4"]),
        (["cl*"], True, ["clips/1.mp4", "clips/2.mp4", "clips/more/3.mp4"]),
        (["none.mp4"], False, ["none.mp4"]),
    ],
)
def test_files_directories_and_patterns_are_selected(
    arguments: list[str], recursive: bool, expected: list[str]
) -> None:
    found = select(arguments, FileType.VIDEO, recursive=recursive)
    assert [str(each.path) for each in found] == expected


@pytest.mark.usefixtures("folder")
def test_a_file_whose_name_is_a_pattern_is_that_file() -> None:
    Path("clips/[1].mp4").write_bytes(MP4)
    (found,) = select(["clips/[1].mp4"], FileType.VIDEO, recursive=False)
    assert found.path == Path("clips/[1].mp4")


@pytest.mark.usefixtures("folder")
def test_faces_and_videos_are_combined_as_a_product_or_in_pairs() -> None:
    defaults = JobDefaults(
        parse_time=parse_time,
        preset=lambda name: ("", {}),
        output="out/{video.dir}/{video.stem}-{face.stem}.mp4",
    )
    jobs = selected_jobs(["faces"], ["clips"], combine=Combine.PRODUCT, recursive=True, defaults=defaults)
    planned = plan(*jobs)
    assert [each.shown for each in planned.jobs] == [
        *("out/1-a.mp4", "out/1-b.mp4", "out/2-a.mp4", "out/2-b.mp4"),
        *("out/more/3-a.mp4", "out/more/3-b.mp4"),
    ]
    pairs = selected_jobs(["faces"], ["clips"], combine=Combine.PAIRS, recursive=False, defaults=defaults)
    assert [(each.face.stem, each.video.stem) for each in pairs] == [("a", "1"), ("b", "2")]
    for arguments, recursive, expected in (
        (["faces"], True, "as many faces as videos, not 2 and 3"),
        (["faces/*.jpg"], False, r"there are no pictures in faces/\*.jpg; --recursive"),
    ):
        with pytest.raises(InvalidInput, match=expected):
            selected_jobs(arguments, ["clips"], combine=Combine.PAIRS, recursive=recursive, defaults=defaults)


@pytest.mark.usefixtures("folder")
def test_names_that_no_file_can_have_break_only_their_jobs() -> None:
    long = "x" * 300
    planned = plan(job(1, output=f"{long}.mp4"), job(2, face=f"{long}.png"), job(3, video="clips/\udcff.mp4"))
    assert [each.action for each in planned.jobs] == [Action.REFUSE, Action.REFUSE, Action.REFUSE]
    assert [f"{long}.png"] == [
        str(each.path) for each in select([f"{long}.png"], FileType.IMAGE, recursive=False)
    ]


@pytest.mark.usefixtures("folder")
def test_selected_jobs_have_every_default() -> None:
    plain = JobDefaults(parse_time=parse_time, preset=lambda name: ("", {}))
    chosen = JobDefaults(
        parse_time=parse_time,
        preset=plain.preset,
        output="out.mp4",
        engine="mock",
        options={"seed": "7"},
        part=VideoPart(start=1, end=2),
        terms=Terms(waiver="a reason"),
        notify="https://example.com/",
        priority=Priority.LOW,
    )
    shared = {field.name for field in fields(Job)} & {field.name for field in fields(JobDefaults)}
    assert [name for name in shared if getattr(chosen, name) == getattr(plain, name)] == []
    (job, *_) = selected_jobs(["faces"], ["clips"], combine=Combine.PRODUCT, recursive=False, defaults=chosen)
    assert {name: getattr(job, name) for name in shared} == {name: getattr(chosen, name) for name in shared}
