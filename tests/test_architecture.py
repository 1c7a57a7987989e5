"""The layers and the homes of guarded imports, held by reading the source and nothing else."""

import ast
import re
import shutil
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.planted_breaches import ALLOWED, PLANTS

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 250  # lines

# From the top down. A name imports itself and the lines below it; names on one line never import each other.
LAYERS = (
    "__main__",
    "cli",
    "bench",
    "bootstrap",
    "rpc client worker",
    "wire",
    "api maintenance queue metadata blobs engines media certificates chaos",
    "tasks",
    "uploads",
    "telemetry config",
    "core",
    "__init__",
)
DEPTH = {name: depth for depth, line in enumerate(LAYERS) for name in line.split()}

# Names of layers, or whole files → what is used only there.
HOMES = {
    "wire rpc client facecli/bench/load_watchers.py": "facecli.wire.generated google.protobuf google.rpc "
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

# The outermost function of a process, of a thread or of a call; file → its functions.
BROAD_CATCHES = {
    "facecli/cli/app.py": "main",
    "facecli/core/events.py": "EventBus.publish",
    "facecli/core/periodic.py": "run_periodically",
    "facecli/rpc/interceptors/errors.py": "errors",
    "facecli/api/upload_pipeline.py": "UploadPipeline._receive_all UploadPipeline._write_received",
    "facecli/worker/process.py": "end",
    "facecli/worker/supervisor.py": "Supervisor._release",
    "facecli/worker/runner.py": "task_runner",
}

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
    outermost = BROAD_CATCHES.get(str(file), "").split()
    excused = {node for name, one in functions(tree) if name in outermost for node in ast.walk(one)}
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


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            methods = (method for method in node.body if isinstance(method, ast.FunctionDef))
            yield from ((f"{node.name}.{method.name}", method) for method in methods)


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
