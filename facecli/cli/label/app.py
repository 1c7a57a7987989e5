"""`facecli label`: show and verify the labels of video files, without a server."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.exits import each
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings
from facecli.core.errors import BytesDiffer, InvalidInput, PolicyRefused
from facecli.core.labels.findings import Findings, Mark, State
from facecli.core.printable import escaped
from facecli.core.video.media import never

if TYPE_CHECKING:
    from facecli.core.labels.labeller import Labeller

app = typer.Typer(rich_markup_mode=None)

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE…", help="Video files, of anybody.", show_default=False)
]

Trust = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        metavar="FILE",
        help="CA certificates (PEM) that signers of C2PA manifests need; any signer will do by default.",
        show_default=False,
    ),
]


@partial(with_settings, quiet_help="Print only the kinds of labels that are there.")
def show(settings: Settings, output: Output, files: Files, trust: Trust = None) -> None:
    """Show the labels of video files as AI-made.

    One line for each kind: implicit (the metadata entry AIGC), visible (on the first frame), and c2pa. Only
    the visible labels of facecli are recognized. Needs no server, and sends nothing.

    Example: facecli label show out.mp4

    Exit codes: 0 success, also without labels, 2 not a video.
    """

    def show_one(file: Path, findings: Findings) -> None:
        _print(output, file, findings)

    _each(settings, output, files, trust, show_one)


@partial(with_settings, quiet_help="Print only the paths of labelled files.")
def verify(
    settings: Settings,
    output: Output,
    files: Files,
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar="KIND",
            help="Kind that must be there: implicit, visible or c2pa; can be repeated. Any one by default.",
        ),
    ] = None,
    trust: Trust = None,
) -> None:
    """Verify that video files are labelled as AI-made, and that their labels are intact.

    A file is labelled if one of its labels says that it is AI-made, and no label is damaged. A label proves
    what a file says of itself; that a file has none proves nothing.

    Example: facecli label verify --require implicit --require visible out.mp4

    Exit codes: 0 labelled, 2 not a video, 8 a label or signature is damaged, 10 not labelled.
    """
    wanted = _kinds(require or [])

    def verify_one(file: Path, findings: Findings) -> None:
        labelled = findings.labelled and not findings.damaged and not findings.missing(wanted)
        _print(output, file, findings, labelled=labelled, short=str(file) if labelled else "")
        shown = escaped(str(file))
        if findings.damaged:
            raise BytesDiffer(f"{shown}: {'; '.join(f'{one.mark}: {one.about}' for one in findings.damaged)}")
        if missing := findings.missing(wanted):
            raise PolicyRefused(f"{shown} lacks a label that is required: {', '.join(missing)}")
        if not findings.labelled:
            raise PolicyRefused(f"{shown} is not labelled as AI-made")

    _each(settings, output, files, trust, verify_one)


def _each(
    settings: Settings,
    output: Output,
    files: list[Path],
    trust: Path | None,
    use: Callable[[Path, Findings], None],
) -> None:
    from facecli.bootstrap.factories import ffmpeg_labeller

    labeller: Labeller = ffmpeg_labeller(settings)

    def read(file: Path) -> None:
        for each_file in filter(None, (file, trust)):
            if not each_file.is_file():
                raise InvalidInput(f"{escaped(str(each_file))} is not a file")
        use(file, labeller.findings(file, trust=trust, stopped=never))

    each(files, read, as_json=output.as_json)


def _print(
    output: Output,
    file: Path,
    findings: Findings,
    *,
    labelled: bool | None = None,
    short: str | None = None,
) -> None:
    verdict = {} if labelled is None else {"labelled": labelled}
    present = [one.mark for one in findings.found if one.state is State.PRESENT]
    output.show(
        {"file": str(file), **verdict, "labels": {one.mark: _object(one) for one in findings.found}},
        text="\n".join(
            [escaped(str(file)), *(f"  {one.mark:8}  {one.state:8}  {one.about}" for one in findings.found)]
        ),
        short=" ".join(present) if short is None else short,
    )


def _object(finding: Any) -> dict[str, Any]:
    return {"state": finding.state, "about": finding.about, "details": dict(finding.details)}


def _kinds(names: list[str]) -> tuple[Mark, ...]:
    unknown = [name for name in names if name not in set(Mark)]
    if unknown:
        raise InvalidInput(f"there is no label {unknown[0]!r}; use one of {', '.join(Mark)}")
    return tuple(map(Mark, names))


add_commands(app, {"show": show, "verify": verify})
