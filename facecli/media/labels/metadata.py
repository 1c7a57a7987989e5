"""Metadata of a whole file: the command, pure, its run, and the implicit label in it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import ffmpeg

from facecli.core.errors import InvalidInput, MediaRefused
from facecli.core.labels.aigc import COMMENT_KEY, KEY, AigcEntry, in_comment
from facecli.core.labels.findings import Finding, Mark, State
from facecli.core.printable import escaped, shortened
from facecli.core.video.media import MediaLimits
from facecli.media.commands import compiled, hardened_input
from facecli.media.run import ProcessLimits, run

MAX_CHARACTERS = 1024 * 1024  # of the metadata that are read
_TIMEOUT = 60.0


def read_metadata(
    binary: Path, file: Path, limits: MediaLimits, *, stopped: Callable[[], bool]
) -> Mapping[str, str]:
    """The metadata of the file as a whole, by lower-case keys; MediaRefused when it cannot be read."""
    lines: list[str] = []
    size = 0

    def on_stdout(line: str) -> None:
        nonlocal size
        size += len(line)
        if size <= MAX_CHARACTERS:
            lines.append(line)

    result = run(
        file_metadata_command(binary, file, limits),
        limits=ProcessLimits(seconds=_TIMEOUT),
        reads=[file],
        stopped=stopped,
        on_stdout=on_stdout,
    )
    if result.exit_code:
        raise MediaRefused(f"{escaped(file.name)} cannot be read as a video ({result.error_text})")
    return parse_metadata("\n".join(lines))


def file_metadata_command(binary: Path, file: Path, limits: MediaLimits) -> list[str]:
    """Print the metadata as ffmetadata; no packet is read."""
    source = hardened_input(file, limits)
    output = ffmpeg.output(source["V:0"], "pipe:1", format="ffmetadata", c="copy", frames=0)
    return compiled(output, binary, level="error", tolerant=True)


def parse_metadata(text: str) -> dict[str, str]:
    """The entries before the first section; a backslash escapes `=`, `;`, `#`, itself and a line break."""
    entries: dict[str, str] = {}
    key, value, in_value, at = "", "", False, 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "\\" and at < len(text):
            character, at = text[at], at + 1
        elif character == "[" and not in_value and not key:
            break
        elif character == "=" and not in_value:
            in_value = True
            continue
        elif character == "\n":
            if in_value:
                entries[key.lower()] = value
            key, value, in_value = "", "", False
            continue
        if in_value:
            value += character
        else:
            key += character
    if in_value:
        entries[key.lower()] = value
    return entries


def implicit_finding(metadata: Mapping[str, str]) -> Finding:
    """The implicit label in the metadata of a file: the entry, or its copy in the comment."""
    own, copied = metadata.get(KEY.lower(), ""), in_comment(metadata.get(COMMENT_KEY, ""))
    if not own and not copied:
        return Finding(mark=Mark.IMPLICIT, state=State.MISSING, about="no metadata entry AIGC")
    where = "the metadata entry AIGC" if own else "only the comment, as after a remux:"
    try:
        entry = AigcEntry.parse(own or copied)
    except InvalidInput as error:
        shown = {"text": shortened(escaped(own or copied), 200)}
        about = f"{where} is damaged: {error.message}"
        return Finding(mark=Mark.IMPLICIT, state=State.DAMAGED, about=about, details=shown)
    if own and copied and not _agree(entry, copied):
        about = "the metadata entry AIGC and its copy in the comment differ"
        return Finding(mark=Mark.IMPLICIT, state=State.DAMAGED, about=about, details=dict(entry.fields))
    about = f"{where} says that it {entry.claim}; producer {entry.fields['ContentProducer']}"
    return Finding(
        mark=Mark.IMPLICIT, state=State.PRESENT, about=about, details=dict(entry.fields), says_ai=True
    )


def entry_of(metadata: Mapping[str, str]) -> AigcEntry | None:
    """The well-formed implicit label; None without one."""
    try:
        return AigcEntry.parse(metadata.get(KEY.lower(), "") or in_comment(metadata.get(COMMENT_KEY, "")))
    except InvalidInput:
        return None


def _agree(entry: AigcEntry, copied: str) -> bool:
    try:
        return AigcEntry.parse(copied) == entry
    except InvalidInput:
        return False
