"""Engine plug-ins: README's example works as shown, on the public API alone; a broken one is skipped."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from facecli.engines.registry import GROUP
from facecli.media.ffmpeg import FfmpegMedia
from tests.e2e.conftest import Serve
from tests.support.e2e.process import run
from tests.support.readme_tables import README

BROKEN = "import a_library_that_does_not_exist\n"
PUBLIC = {"facecli", "facecli.plugins", "facecli.testing"}
CONTRACT_TEST = """
from corner import Corner

from facecli.testing import EngineContract


class TestCorner(EngineContract):
    def make_engine(self, media):
        return Corner(media)
"""


def block(name: str) -> str:
    """Return the fenced block of README.md under `<!-- engine: name -->`."""
    fenced = re.search(
        rf"<!-- engine: {re.escape(name)} -->\n```\w+\n(.*?)```", README.read_text(), re.DOTALL
    )
    assert fenced
    return fenced[1]


def wheel(folder: Path, project: dict[str, str], entries: dict[str, str], code: str) -> Path:
    """Build the wheel of one module as `pip wheel` would, without the network that its isolation needs."""
    name, version = project["name"].replace("-", "_"), project["version"]
    about = f"{name}-{version}.dist-info"
    entry_points = "".join(f"{engine} = {where}\n" for engine, where in entries.items())
    files = {
        f"{next(iter(entries))}.py": code,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": f"[{GROUP}]\n{entry_points}",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{about}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{about}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


@pytest.fixture
def plugins(tmp_path: Path) -> dict[str, str]:
    """Install README's engine and a broken one; return the environment that finds them."""
    readme = tomllib.loads(block("pyproject.toml"))["project"]
    target = tmp_path / "site-packages"
    wheels = [
        wheel(tmp_path, readme, readme["entry-points"][GROUP], block("corner.py")),
        wheel(tmp_path, {"name": "wreck", "version": "1"}, {"wreck": "wreck:Engine"}, BROKEN),
    ]
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
        *map(str, wheels),
    ]
    subprocess.run(pip, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    return {"PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(target)])}


def test_the_readme_imports_the_public_api_alone() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert block("corner.py") in blocks
    modules = {module for code in blocks for module in imported_modules(code)}
    assert {module for module in modules if module.split(".")[0] == "facecli"} <= PUBLIC


def imported_modules(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def test_the_engine_of_the_readme_keeps_the_contract(plugins: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "test_corner.py").write_text(CONTRACT_TEST)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(tmp_path / "test_corner.py"),
    ]
    done = subprocess.run(
        command, env={**os.environ, **plugins}, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


def test_the_engine_of_the_readme_is_listed_and_swaps(
    plugins: dict[str, str],
    serve: Serve,
    face: Path,
    clip: Path,
    media: FfmpegMedia,
    ffmpeg: Path,
    tmp_path: Path,
) -> None:
    assert len(block("corner.py").split("class ")[1].splitlines()) <= 20
    listed = {engine["name"]: engine for engine in run("engines", "--json", environment=plugins).objects}
    assert (listed["corner"]["version"], listed["corner"]["package"]) == ("1", "facecli-corner")
    assert listed["corner"]["needs"] == ["ffmpeg"]

    server, out = serve(environment={**plugins, "FACECLI_SEGMENT_MEGAPIXELS": "5"}), tmp_path / "out.mp4"
    run("swap", face, clip, "-o", out, "--engine", "corner", "--server", server.address)
    assert media.probe_video(out).frames == media.probe_video(clip).frames
    screenshot, fitted = tmp_path / "screenshot.png", tmp_path / "fitted.png"
    subprocess.run(
        [ffmpeg, "-v", "error", "-sseof", "-0.1", "-i", out, "-frames:v", "1", screenshot], check=True
    )
    media.fit_picture(face, fitted, width=45, height=45)
    with Image.open(screenshot) as shown, Image.open(fitted) as wanted:
        for at in ((4, 4), (22, 30), (40, 4)):
            assert shown.convert("RGB").getpixel(at) == pytest.approx(wanted.getpixel(at), abs=48)


def test_a_broken_engine_is_listed_with_the_reason_and_skipped(
    plugins: dict[str, str], serve: Serve, face: Path, clip: Path
) -> None:
    done = run("engines", environment=plugins)
    assert "wreck  ?  not usable: No module named 'a_library_that_does_not_exist'" in done.out
    assert run("engines", "-q", environment=plugins).out.split() == ["corner", "mesh", "mock"]
    server = serve(environment=plugins)
    server.wait_for_log("engine skipped engine=wreck entry_point=wreck:Engine")
    files = ("--image", face, "--video", clip, "--server", server.address)
    refused = run("task", "create", *files, "--engine", "wreck", "--json", expect=2)
    assert refused.error["message"] == "there is no engine 'wreck'; there are: corner, inswapper, mesh, mock"
