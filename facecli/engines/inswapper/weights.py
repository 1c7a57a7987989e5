"""OwnWeights: the files of a user's own networks, as configured, and their check at the start of a worker."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from facecli.core.errors import NotConfigured, NotReady


class Provider(StrEnum):
    """A runtime of networks."""

    CPU = "cpu"
    CUDA = "cuda"
    COREML = "coreml"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWeights:
    """Paths are empty where nothing is configured; a sha256 is empty where any file will do."""

    swapper: str = ""
    swapper_sha256: str = ""
    recognizer: str = ""
    recognizer_sha256: str = ""
    provider: Provider = Provider.CPU

    def check(self) -> Mapping[str, str]:
        """Read both files, and return their sha256 by setting; NotReady if one is missing or another one."""
        digests = {}
        for setting, path, expected in (
            ("inswapper_model", self.swapper, self.swapper_sha256),
            ("inswapper_recognizer", self.recognizer, self.recognizer_sha256),
        ):
            if not path:
                missing = f"no weights: set {setting} to the path of an ONNX file"
                raise NotReady(missing) if self.swapper or self.recognizer else NotConfigured(missing)
            found = _sha256(path, setting)
            if expected and found != expected.lower():
                raise NotReady(f"{setting}: {path} has the sha256 {found}, not that of {setting}_sha256")
            digests[setting] = found
        return digests

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the process of the engine may read."""
        swapper = Path(self.swapper)
        return tuple(path.absolute() for path in (swapper, Path(self.recognizer), beside(swapper)))

    def as_json(self) -> Mapping[str, Any]:
        swapper, recognizer, _ = map(str, self.files)
        return {"swapper": swapper, "recognizer": recognizer, "provider": self.provider.value}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "OwnWeights":
        return cls(
            swapper=values["swapper"],
            recognizer=values["recognizer"],
            provider=Provider(values["provider"]),
        )


def beside(swapper: Path) -> Path:
    """The file that may hold the emap of these weights."""
    return swapper.with_suffix(".npy")


def _sha256(path: str, setting: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotReady(f"{setting}: {path} cannot be read: {error.strerror}") from error
