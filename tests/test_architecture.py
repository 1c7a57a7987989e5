"""The layers and the homes of guarded imports, held by reading the source and nothing else."""

import ast
import re
import shutil
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 250  # lines

# From the top down. A name imports itself and the lines below it; names on one line never import each other.
LAYERS = (
    "__main__",
    "cli",
    "bench",
    "bootstrap",
    "service client worker",
    "wire",
    "queue metadata blobs engines media certificates",
    "telemetry config",
    "core",
    "__init__",
)
DEPTH = {name: depth for depth, line in enumerate(LAYERS) for name in line.split()}

# Names of layers, or whole files → what is used only there.
HOMES = {
    "wire service client": "facecli.wire.generated google.protobuf google.rpc "
    "grpc grpc_health grpc_reflection grpc_status",
    "queue bootstrap worker": "facecli.queue",
    "metadata bootstrap": "facecli.metadata",
    "blobs bootstrap": "facecli.blobs",
    "engines bootstrap": "facecli.engines",
    "media bootstrap": "facecli.media",
    "config bootstrap cli": "facecli.config",
    "cli": "typer rich tqdm print",
    "media": "ffmpeg imageio_ffmpeg",
    "media facecli/worker/supervisor.py": "subprocess",
    "metadata": "sqlalchemy alembic",
    "queue": "dbos",
    "certificates": "cryptography",
    "config": "os.environ os.getenv",
}
BROAD_CATCHES = "worker facecli/service/interceptors/errors.py"  # and main() of facecli/cli/app.py

Finding = tuple[int, str]
Modules = dict[str, tuple[Path, dict[str, int]]]  # name → its file, and the first line of every use


def violations(root: Path) -> list[str]:
    """Every breach in the checkout at `root`, as `file:line: what is wrong`."""
    found = set[str]()
    modules: Modules = {}
    for path in sorted((root / "facecli").rglob("*.py")):
        file = path.relative_to(root)
        if "generated" in file.parts:
            continue
        tree = ast.parse(path.read_text(), str(file))
        uses = list(used_names(tree, file))
        module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        modules[module] = (file, {name: line for line, name in reversed(uses)})
        findings = [*layer_breaches(file, uses), *strays(file, uses), *broad_catches(file, tree)]
        found |= {f"{file}:{line}: {text}" for line, text in findings}
    found |= set(circles(modules))
    for path in (path for folder in ("facecli", "tests", "proto") for path in (root / folder).rglob("*.py")):
        lines = len(path.read_text().splitlines())
        if lines > LONGEST_FILE and "generated" not in path.parts:
            found.add(f"{path.relative_to(root)}:{lines}: longer than {LONGEST_FILE} lines")
    return sorted(found)


def top_name(file: Path) -> str:
    return Path(file.parts[1]).stem


def at_home(file: Path, homes: str) -> bool:
    return bool({top_name(file), str(file)} & set(homes.split()))


def used_names(tree: ast.Module, file: Path) -> Iterator[Finding]:
    """What is imported, in full (`from a.b import c` is `a.b.c`), and what else has a home."""
    package = [*file.parent.parts]
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from ((node.lineno, alias.name) for alias in node.names)
            case ast.ImportFrom():
                upwards = package[: len(package) + 1 - node.level] if node.level else []
                origin = ".".join([*upwards, *filter(None, [node.module])])
                yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name("import_module" | "__import__"),
                args=[ast.Constant(str(name)), *_],
            ):
                yield node.lineno, name
            case ast.Attribute(value=ast.Name("os"), attr="environ" | "getenv"):
                yield node.lineno, f"os.{node.attr}"
            case ast.Call(func=ast.Name("print")):
                yield node.lineno, "print"


def layer_breaches(file: Path, uses: list[Finding]) -> Iterator[Finding]:
    here = top_name(file)
    if here not in DEPTH:
        yield 1, f"{here} has no layer"
        return
    for line, name in uses:
        if name.split(".")[0] != "facecli":
            continue
        there = next((part for part in name.split(".")[1:2] if part in DEPTH), "__init__")
        if there != here and DEPTH[there] <= DEPTH[here]:
            relation = "stands beside" if DEPTH[there] == DEPTH[here] else "is above"
            yield line, f"{here} imports {there}, which {relation} it"


def strays(file: Path, uses: list[Finding]) -> Iterator[Finding]:
    for homes, guarded in HOMES.items():
        for line, name in uses if not at_home(file, homes) else []:
            if parent := next((one for one in guarded.split() if f"{name}.".startswith(f"{one}.")), None):
                yield line, f"{parent} is only for {', '.join(homes.split())}"


def broad_catches(file: Path, tree: ast.Module) -> Iterator[Finding]:
    """A handler that ends in a bare `raise` only looks; it may stand anywhere."""
    if at_home(file, BROAD_CATCHES):
        return
    excused = set[ast.AST]()
    if str(file) == "facecli/cli/app.py":
        mains = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
        excused = {node for main in mains for node in ast.walk(main)}
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(body=[*_, ast.Raise(exc=None)]):
                continue
            case ast.ExceptHandler(type=kind):
                caught = ast.unparse(kind) if kind else "BaseException"
            case ast.Call(func=ast.Name("suppress") | ast.Attribute(attr="suppress")):
                caught = ast.unparse(node)
            case _:
                continue
        if node not in excused and re.search(r"\b(Base)?Exception\b", caught):
            yield node.lineno, "a catch this broad hides bugs"


def circles(modules: Modules) -> Iterator[str]:
    """One circle, if there is any; the next shows when it is gone."""
    graph = {one: {nearest(name, modules) for name in uses} - {one, ""} for one, (_, uses) in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1][:0:-1]
        start = circle.index(min(circle))
        circle = [*circle[start:], *circle[:start]]
        file, uses = modules[circle[0]]
        line = min(line for name, line in uses.items() if nearest(name, modules) == circle[1])
        yield f"{file}:{line}: imports in a circle: {' → '.join([*circle, circle[0]])}"


def nearest(name: str, modules: Modules) -> str:
    """The module that `name` is or is defined in; empty for a foreign one."""
    while name not in modules and name:
        name = name.rpartition(".")[0]
    return name


def test_every_import_points_down_and_stays_home() -> None:
    assert violations(ROOT) == []


PLANTS = [
    # file, source, line, what must be said
    ("stray.py", "", 1, "stray has no layer"),
    ("core/a.py", "\nimport facecli.wire.errors", 2, "core imports wire, which is above it"),
    ("core/b.py", "def f():\n    from facecli.cli import app", 2, "core imports cli"),
    ("core/c.py", "from ..bootstrap import connect", 1, "core imports bootstrap"),
    ("core/d.py", "import importlib\nimportlib.import_module('facecli.bench')", 2, "core imports bench"),
    ("__init__.py", "from facecli.core import errors", 1, "__init__ imports core"),
    ("service/a.py", "from facecli import client", 1, "service imports client, which stands beside it"),
    ("worker/a.py", "from facecli.service import server", 1, "worker imports service"),
    ("blobs/a.py", "from facecli.metadata import tables", 1, "blobs imports metadata"),
    ("wire/a.py", "from facecli.bench import faults", 1, "wire imports bench"),
    ("cli/a.py", "import grpc", 1, "grpc is only for wire, service, client"),
    ("bench/a.py", "from grpc_health.v1 import health_pb2", 1, "grpc_health is only for"),
    ("core/e.py", "from google import protobuf", 1, "google.protobuf is only for"),
    ("cli/b.py", "from facecli.wire.generated import x", 1, "facecli.wire.generated is only for"),
    ("cli/c.py", "from facecli.queue import runner", 1, "facecli.queue is only for queue, bootstrap, worker"),
    ("service/b.py", "from facecli import metadata", 1, "facecli.metadata is only for"),
    ("service/c.py", "import facecli.blobs.local", 1, "facecli.blobs is only for"),
    ("worker/b.py", "from facecli.engines.mock import MockEngine", 1, "facecli.engines is only for"),
    ("worker/c.py", "from facecli.media import run", 1, "facecli.media is only for"),
    ("service/d.py", "from facecli.config import Settings", 1, "facecli.config is only for"),
    ("client/a.py", "import rich.progress", 1, "rich is only for cli"),
    ("bench/b.py", "import typer, tqdm", 1, "tqdm is only for cli"),
    ("engines/a.py", "import ffmpeg", 1, "ffmpeg is only for media"),
    ("worker/d.py", "from subprocess import run", 1, "subprocess is only for"),
    ("queue/a.py", "import sqlalchemy as sa", 1, "sqlalchemy is only for metadata"),
    ("bootstrap.py", "from alembic import command", 1, "alembic is only for metadata"),
    ("worker/e.py", "from dbos import DBOS", 1, "dbos is only for queue"),
    ("cli/f.py", "from cryptography import x509", 1, "cryptography is only for certificates"),
    ("media/a.py", "import os\nHOME = os.environ['HOME']", 2, "os.environ is only for"),
    ("cli/d.py", "from os import getenv", 1, "os.getenv is only for"),
    ("bench/c.py", "\n\nprint('done')", 3, "print is only for cli"),
    ("core/f.py", "try:\n    f()\nexcept Exception:\n    pass", 3, "broad"),
    ("core/g.py", "try:\n    f()\nexcept (OSError, BaseException):\n    raise X", 3, "broad"),
    ("core/h.py", "try:\n    f()\nexcept:\n    pass", 3, "broad"),
    ("core/i.py", "with contextlib.suppress(Exception):\n    f()", 1, "broad"),
    ("cli/app.py", "def run():\n    try:\n        f()\n    except Exception:\n        pass", 4, "broad"),
    ("core/j.py", "\nfrom facecli.core import k", 2, "facecli.core.j → facecli.core.k → facecli.core.j"),
    ("core/long.py", "\n" * 251, 251, "longer than 250"),
]

ALLOWED = [
    ("core/k.py", "def f():\n    from facecli.core.j import g"),
    ("core/l.py", "from facecli import __version__\nfrom facecli.core.errors import NotFound"),
    ("core/m.py", "try:\n    f()\nexcept BaseException:\n    undo()\n    raise"),
    ("worker/f.py", "import facecli.queue\ntry:\n    f()\nexcept Exception:\n    pass"),
    ("worker/supervisor.py", "import subprocess"),
    ("service/interceptors/errors.py", "import grpc\ntry:\n    f()\nexcept Exception:\n    pass"),
    ("cli/e.py", "import rich\nfrom facecli.config import Settings\nprint('done')"),
    ("config.py", "import os\nos.environ"),
    ("media/b.py", "import ffmpeg, subprocess"),
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "facecli", root / "facecli", ignore=shutil.ignore_patterns("__pycache__"))
    for file, source in [*[plant[:2] for plant in PLANTS], *ALLOWED]:
        path = root / "facecli" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    return violations(root)


@pytest.mark.parametrize(("file", "source", "line", "text"), PLANTS)
def test_a_planted_breach_is_found_where_it_stands(
    planted: list[str], file: str, source: str, line: int, text: str
) -> None:
    assert [said for said in planted if said.startswith(f"facecli/{file}:{line}: ") and text in said]


@pytest.mark.parametrize(("file", "source"), ALLOWED)
def test_what_is_allowed_is_not_found(planted: list[str], file: str, source: str) -> None:
    assert not [said for said in planted if said.startswith(f"facecli/{file}:")]
