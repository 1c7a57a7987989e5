"""FfmpegLabeller: labels in video files, read in the sandbox."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from facecli.core.errors import MediaRefused, NotReady
from facecli.core.labels.aigc import AigcEntry
from facecli.core.labels.findings import Findings
from facecli.core.labels.labels import BurntLabel
from facecli.core.printable import escaped
from facecli.core.video.formats import FormatKind, readable_list
from facecli.core.video.media import MediaLimits
from facecli.core.video.signatures import HEAD_SIZE, signature
from facecli.media.find import find_ffmpeg
from facecli.media.labels.manifest import ManifestSigner, manifest_finding, sign_manifest
from facecli.media.labels.metadata import entry_of, implicit_finding, read_metadata
from facecli.media.labels.visible import burn_in, first_frame, shown_text, visible_finding
from facecli.media.run import ProcessLimits

_ENCODING = ProcessLimits(seconds=3600)


class FfmpegLabeller:
    """Finds ffmpeg as `FfmpegMedia` does. Signs only with a `signer`."""

    def __init__(
        self,
        *,
        wanted: str | None = None,
        limits: MediaLimits | None = None,
        signer: ManifestSigner | None = None,
    ) -> None:
        self._signer = signer
        self._wanted = wanted
        self._limits = limits or MediaLimits()

    @cached_property
    def _binary(self) -> Path:
        return find_ffmpeg(self._wanted)

    def input_entry(self, video: Path, *, stopped: Callable[[], bool]) -> AigcEntry | None:
        return entry_of(read_metadata(self._binary, video, self._limits, stopped=stopped))

    def ensure_visible(self, segment: Path, label: BurntLabel, *, stopped: Callable[[], bool]) -> bool:
        frame = first_frame(self._binary, segment, self._limits, stopped=stopped)
        if shown_text(frame) is label.text:
            return False
        burn_in(self._binary, segment, label, self._limits, process_limits=_ENCODING, stopped=stopped)
        return True

    def findings(self, file: Path, *, trust: Path | None = None, stopped: Callable[[], bool]) -> Findings:
        try:
            metadata = read_metadata(self._binary, file, self._limits, stopped=stopped)
            frame = first_frame(self._binary, file, self._limits, stopped=stopped)
        except MediaRefused as error:
            raise _explained(file) or error from error
        manifest = manifest_finding(file, trust=trust, stopped=stopped)
        return Findings(found=(implicit_finding(metadata), visible_finding(frame), manifest))

    @property
    def signer(self) -> Mapping[str, object] | None:
        if self._signer is None:
            return None
        digest = hashlib.sha256(self._signer.certificate.read_bytes()).hexdigest()
        return {"certificate_sha256": digest, "time_stamp_authority": self._signer.time_stamp or None}

    def sign(
        self, video: Path, *, parent: Path, family: str, signed: Path, stopped: Callable[[], bool]
    ) -> None:
        if self._signer is None:
            raise NotReady("no signer of C2PA manifests is configured")
        sign_manifest(self._signer, video, parent=parent, family=family, signed=signed, stopped=stopped)


def _explained(file: Path) -> MediaRefused | None:
    """Why a file is no video, if its first bytes tell."""
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD_SIZE)
    except OSError as error:
        return MediaRefused(f"cannot read {escaped(str(file))}: {error.strerror}")
    shown, found = escaped(file.name), signature(head)
    if not head:
        return MediaRefused(f"{shown} is empty")
    if found is None:
        return MediaRefused(f"{shown} is not in {readable_list(FormatKind.VIDEO)} format")
    if found.kind is not FormatKind.VIDEO:
        return MediaRefused(f"{shown} is in {found.family} format; labels are read from videos")
    return None
