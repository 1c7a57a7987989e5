"""Installed distributions: the tree below facecli, its licences and its locked versions."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)
_FROM_CLASSIFIER = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
}


def dependency_tree(name: str, extras: frozenset[str]) -> dict[str, Distribution]:
    """Every installed distribution that `name` with these extras brings, by its canonical name.

    A distribution that the markers of this platform ask for and that is missing is an error."""
    found: dict[str, Distribution] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(name, extras)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        item = waiting.pop()
        if item in seen:
            continue
        seen.add(item)
        current = distribution(item[0])
        found[canonicalize_name(item[0])] = current
        waiting += [
            (canonicalize_name(requirement.name), frozenset(requirement.extras))
            for requirement in _requirements(current, item[1])
        ]
    return found


def _requirements(current: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for line in current.requires or []:
        requirement = Requirement(line)
        environments = [{"extra": extra} for extra in extras or {""}]
        if requirement.marker is None or any(map(requirement.marker.evaluate, environments)):
            yield requirement


def licence(current: Distribution) -> str:
    """The SPDX expression of a distribution; from its classifiers where it declares none; "" if unknown."""
    metadata = current.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    names = [text.rpartition(" :: ")[2] for text in metadata.get_all("Classifier") or []]
    known = [_FROM_CLASSIFIER[name] for name in names if name in _FROM_CLASSIFIER]
    declared = metadata["License"].strip() if "License" in metadata else ""
    return " OR ".join(known) or declared


def pins(lock: Path) -> dict[str, Version]:
    """The locked version of each package."""
    return {
        canonicalize_name(pin["name"]): Version(pin["version"]) for pin in _PIN.finditer(lock.read_text())
    }
