"""Supply rules: bounded requirements, a lock with hashes, licences, and notices of what is bundled."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.support.distributions import dependency_tree, licence, pins

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = ROOT / ".ci" / "requirements.lock"

# Licences of dependencies that go with code of any licence.
PERMITTED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
}
PERMITTED |= {"CC0-1.0", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"}

# Free-text licences of packages that have no SPDX expression and no classifier.
IN_WORDS = {"3-Clause BSD License": "BSD-3-Clause", "Apache License 2.0": "Apache-2.0"}
FROM_TEXT = {"pysocks": "BSD-3-Clause"}  # packages whose metadata says less than their licence text


def requirements() -> list[Requirement]:
    project = PROJECT["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    lines += PROJECT["build-system"]["requires"]
    return [requirement for requirement in map(Requirement, lines) if requirement.name != "facecli"]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_excludes_the_next_major_version(requirement: Requirement) -> None:
    assert {"<", "==", "~="} & {specifier.operator for specifier in requirement.specifier}


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_the_lock_has_a_version_that_satisfies_each_requirement(requirement: Requirement) -> None:
    assert pins(LOCK)[canonicalize_name(requirement.name)] in requirement.specifier


def test_every_locked_package_has_hashes() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.read_text().strip())
    assert len(entries) == len(pins(LOCK)) > 50
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_installed_packages_are_compatible_with_each_other() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("extra", sorted({"", *PROJECT["project"]["optional-dependencies"]}))
def test_every_dependency_has_a_permitted_licence(extra: str) -> None:
    refused = {}
    tree = dependency_tree("facecli", frozenset({extra} - {""}))
    del tree["facecli"]  # the licence of facecli is for its owner to choose
    for name, found in tree.items():
        expression = FROM_TEXT.get(name) or licence(found)
        names = re.split(r" (?:AND|OR|WITH) ", IN_WORDS.get(expression, expression).strip("()"))
        if not set(names) <= PERMITTED:
            refused[name] = expression
    assert refused == {}
    assert len(tree) > 20


@pytest.mark.parametrize(("notice", "origin"), [("completions/NOTICE", "typer"), (".github/NOTICE", "rich")])
def test_bundled_work_of_others_carries_its_licence(notice: str, origin: str) -> None:
    (text,) = [
        file.read_text()
        for file in distribution(origin).files or []
        if file.name == "LICENSE" and "dist-info" in str(file)
    ]
    assert text in (ROOT / notice).read_text()


def test_the_pictures_of_the_visible_label_carry_the_licence_of_their_font() -> None:
    folder = ROOT / "facecli" / "media" / "labels"
    notice = (folder / "NOTICE").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in notice
    assert [picture.name for picture in folder.glob("*.png") if picture.name not in notice] == []
