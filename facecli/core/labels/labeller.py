"""The interface to labels in video files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from facecli.core.labels.aigc import AigcEntry
from facecli.core.labels.findings import Findings
from facecli.core.labels.labels import BurntLabel


class Labeller(Protocol):
    """Reads, checks and completes the labels of video files. Every path is a local file.

    Every call raises Cancelled soon after `stopped` returns true.
    """

    def input_entry(self, video: Path, *, stopped: Callable[[], bool]) -> AigcEntry | None:
        """The well-formed implicit label of a file; None without one."""
        ...

    def ensure_visible(self, segment: Path, label: BurntLabel, *, stopped: Callable[[], bool]) -> bool:
        """Burn the label into a swapped segment whose first frame does not show it; return whether it did.

        Engines that write their frames with `Media` have the label from there.
        """
        ...

    def findings(self, file: Path, *, trust: Path | None = None, stopped: Callable[[], bool]) -> Findings:
        """All labels of a file; MediaRefused when it cannot be read as a video.

        `trust` are the CA certificates (PEM) that signers need; without it, any signer will do.
        """
        ...

    @property
    def signer(self) -> Mapping[str, object] | None:
        """The signer of C2PA manifests, for the provenance record; None if results are not signed."""
        ...

    def sign(
        self, video: Path, *, parent: Path, family: str, signed: Path, stopped: Callable[[], bool]
    ) -> None:
        """Write a copy of the video with a signed C2PA manifest: an edit of the parent.

        `family` is that of the parent's format. FacecliError when it cannot be signed.
        """
        ...
