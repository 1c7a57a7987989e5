"""C2PA manifests: signing and reading them, in sandboxed processes.

Theory of operation: a manifest is signed in two steps. The first reads the edited video, which is hostile
input, and describes it in an archive; it has neither a key nor a network. The second has the key, and with a
time stamp authority a network; it reads only the archive and the result, which ffmpeg wrote.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from facecli import __version__
from facecli.core.errors import FacecliError, MediaRefused, NotReady
from facecli.core.labels.findings import Finding, Mark, State
from facecli.core.printable import escaped, shortened
from facecli.core.video.formats import by_family
from facecli.media.run import ProcessLimits, run

INSTALL = "pip install c2pa-python"
AI_SOURCES = frozenset({"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"})

_LIMITS = ProcessLimits(seconds=600, memory=4 * 1024**3)
_SIGNING_RATE = 5_000_000  # bytes of the result a second, on a slow machine
_BOX_ID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # of the box `uuid` with a manifest
_MAX_BOXES = 10_000
_NAMES = (Path("/etc/resolv.conf"), Path("/etc/hosts"), Path("/etc/nsswitch.conf"), Path("/etc/ssl"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSigner:
    """Files of the signer: a certificate with its chain, its private key, both PEM; a URL for time stamps.

    `time_stamp_seconds` is how long the authority may take, beside the signing itself.
    """

    certificate: Path
    key: Path
    time_stamp: str = ""
    time_stamp_seconds: float = 60.0


def sign_manifest(
    signer: ManifestSigner,
    video: Path,
    *,
    parent: Path,
    family: str,
    signed: Path,
    stopped: Callable[[], bool],
) -> None:
    """Write a signed copy of the video, an edit of `parent`, a file of this family of formats."""
    archive = signed.with_name("manifest.c2pa")
    parent_job = {
        "job": "parent",
        "version": __version__,
        "video": str(parent.absolute()),
        "format": by_family(family)[0].mime_type,
        "archive": str(archive.absolute()),
    }
    sign_job = {
        "job": "sign",
        "archive": str(archive.absolute()),
        "video": str(video.absolute()),
        "signed": str(signed.absolute()),
        "certificate": str(signer.certificate.absolute()),
        "key": str(signer.key.absolute()),
        "time_stamp": signer.time_stamp,
    }
    try:
        _done(_answer(parent_job, reads=[parent], writes=[archive.parent], stopped=stopped))
        reads = [video, signer.certificate, signer.key]
        if signer.time_stamp:
            answer = _time_stamped(signer, sign_job, reads, video.stat().st_size, stopped)
        else:
            answer = _answer(sign_job, reads=reads, writes=[archive.parent], stopped=stopped)
        _done(answer)
    finally:
        archive.unlink(missing_ok=True)


def _time_stamped(
    signer: ManifestSigner,
    job: Mapping[str, Any],
    reads: Sequence[Path],
    size: int,
    stopped: Callable[[], bool],
) -> Mapping[str, Any]:
    """Sign with a time stamp; a FacecliError that names the authority if it gives none in time."""
    folder, seconds = Path(job["archive"]).parent, signer.time_stamp_seconds + size / _SIGNING_RATE
    limits = replace(_LIMITS, seconds=seconds, network=True)
    try:
        answer = _answer(job, reads=[*reads, *_NAMES], writes=[folder], stopped=stopped, limits=limits)
        error = str(answer.get("error", ""))
    except MediaRefused:  # past the time limit
        answer, error = {}, f"no HTTP response within {seconds:.0f} s"
    if "http" in error.lower():
        raise FacecliError(
            f"the result cannot be signed (C2PA): no time stamp from {signer.time_stamp}; "
            f"facecli task retry signs it later ({_shown(error)})"
        )
    return answer


def manifest_finding(file: Path, *, trust: Path | None, stopped: Callable[[], bool]) -> Finding:
    """The manifest of an MP4 or MOV file, and whether its signature holds."""
    if not has_manifest(file):
        return Finding(mark=Mark.C2PA, state=State.MISSING, about="no manifest in an MP4 or MOV")
    if find_spec("c2pa") is None:
        about = f"there is a manifest; to check it: {INSTALL}"
        return Finding(mark=Mark.C2PA, state=State.UNKNOWN, about=about)
    job = {
        "job": "read",
        "file": str(file.absolute()),
        "format": "video/mp4",
        "trust": str(trust.absolute()) if trust else "",
    }
    answer = _answer(job, reads=[file, *([trust] if trust else [])], writes=(), stopped=stopped)
    if error := answer.get("error"):
        about = f"the manifest cannot be read: {_shown(error)}"
        return Finding(mark=Mark.C2PA, state=State.DAMAGED, about=about)
    return _finding({name: _shown(value) for name, value in answer.items()}, trusting=bool(trust))


def has_manifest(file: Path) -> bool:
    """Whether one of the outermost boxes of a file is that of a manifest. Reads nothing but their headers."""
    with file.open("rb") as opened:
        size, at = file.stat().st_size, 0
        for _ in range(_MAX_BOXES):
            opened.seek(at)
            header = opened.read(32)
            length, kind = int.from_bytes(header[:4]), header[4:8]
            start = 8
            if length == 1:
                length, start = int.from_bytes(header[8:16]), 16
            if kind == b"uuid" and header[start : start + 16] == _BOX_ID:
                return True
            if len(header) < 8 or length < start or at + length >= size:
                return False
            at += length
    return False


def _finding(found: Mapping[str, Any], *, trusting: bool) -> Finding:
    """The finding for an answer; when `trusting`, only the signature of a trusted signer counts."""
    state, sources = str(found.get("state")), found.get("sources") or []
    if state not in {"Valid", "Trusted"}:
        reasons = ", ".join(map(str, found.get("failures") or ["no reason given"]))
        about = f"the signature does not hold: {reasons}"
        return Finding(mark=Mark.C2PA, state=State.DAMAGED, about=about, details=found)
    signed = f"signed by {found.get('signer') or 'an unnamed signer'}"
    if trusting and state != "Trusted":
        about = f"{signed}, whose certificate is not trusted"
        return Finding(mark=Mark.C2PA, state=State.UNKNOWN, about=about, details=found)
    says_ai = isinstance(sources, list) and bool(AI_SOURCES & set(map(str, sources)))
    checked = "whose certificate is trusted" if trusting else "whose certificate was not checked"
    says = "says that it is AI-made" if says_ai else "does not say that it is AI-made"
    about = f"{signed}, {checked}; {says}"
    return Finding(mark=Mark.C2PA, state=State.PRESENT, about=about, details=found, says_ai=says_ai)


def _done(answer: Mapping[str, Any]) -> None:
    if error := answer.get("error"):
        raise FacecliError(f"the result cannot be signed (C2PA): {_shown(error)}")


def _answer(
    job: Mapping[str, Any],
    *,
    reads: Sequence[Path],
    writes: Sequence[Path],
    stopped: Callable[[], bool],
    limits: ProcessLimits = _LIMITS,
) -> Mapping[str, Any]:
    """Run a job in the sandbox and return its answer, which may be anything; NotReady without c2pa."""
    package = find_spec("c2pa")
    if package is None or package.origin is None:
        raise NotReady(f"c2pa is missing; install it with: {INSTALL}")
    packages = Path(package.origin).parents[1]
    script, lines = Path(__file__).with_name("c2pa_process.py"), list[str]()
    result = run(
        [sys.executable, "-I", str(script), str(packages), json.dumps(job)],
        limits=limits,
        reads=[script, packages, *reads],
        writes=writes,
        stopped=stopped,
        on_stdout=lines.append,
    )
    try:
        found = json.loads(lines[-1]) if lines else None
    except ValueError:
        found = None
    if isinstance(found, dict) and not result.exit_code:
        return found
    return {"error": result.error_text or "its process gave no answer"}


def _shown(value: Any) -> Any:
    """A value of an answer, safe to print."""
    if isinstance(value, list):
        return [_shown(each) for each in value[:20]]
    return value if isinstance(value, bool | int) else shortened(escaped(str(value)), 300)
