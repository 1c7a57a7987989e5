"""Architecture rules, checked on the syntax tree: layers, guarded imports, broad catches, import cycles."""

import ast
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.planted_breaches import ALLOWED, PLANTS

ROOT = Path(__file__).parents[1]
MAX_FILE_LINES = 250
MAX_FOLDER_FILES = 20
GROWING_FOLDERS = {"generated", "versions"}  # of generated code, and of migrations, which are kept for ever

# From the top down. A layer imports itself and the lines below it, never another layer of its own line.
LAYERS = (
    "__main__",
    "cli",
    "testing",
    "library",
    "bench local",
    "bootstrap",
    "web",
    "rpc client worker",
    "wire",
    "api maintenance queue metadata blobs engines media certificates chaos operations",
    "webhooks",
    "tasks",
    "uploads",
    "telemetry config plugins",
    "core",
    "__init__",
)
DEPTH = {name: depth for depth, line in enumerate(LAYERS) for name in line.split()}

# Layers or files → the imports and names that only they may use.
HOMES = {
    "wire rpc web client facecli/bench/load_watchers.py": "facecli.wire.generated google.protobuf google.rpc "
    "grpc grpc_health grpc_reflection grpc_status",
    "queue bootstrap worker": "facecli.queue",
    "metadata bootstrap": "facecli.metadata",
    "blobs bootstrap": "facecli.blobs",
    "engines bootstrap": "facecli.engines",
    "media bootstrap testing": "facecli.media",
    "config bootstrap cli library local testing": "facecli.config",
    "cli": "typer rich tqdm",
    "web": "fastapi starlette uvicorn httptools connectrpc protobuf",
    "cli __main__": "print",
    "media": "c2pa ffmpeg imageio_ffmpeg",
    "media facecli/worker/supervisor.py facecli/local/server.py facecli/cli/task/player.py": "subprocess",
    "metadata": "sqlalchemy alembic",
    "queue": "dbos",
    "telemetry": "prometheus_client opentelemetry",
    "certificates": "cryptography trustme",
    "config": "os.environ os.getenv",
}

# File → its functions that may catch everything: the outermost one of a process, a thread or a call.
BROAD_CATCHES = {
    "facecli/cli/app.py": "main",
    "facecli/core/events.py": "EventBus.publish",
    "facecli/core/periodic.py": "run_periodically",
    "facecli/rpc/interceptors/errors.py": "errors",
    "facecli/web/app.py": "ErrorGuard.__call__",
    "facecli/web/calls.py": "WebCalls._ended",
    "facecli/media/picture/decode.py": "main",
    "facecli/api/upload_pipeline.py": "UploadPipeline._receive_all UploadPipeline._write_received",
    "facecli/tasks/logs/exceptions.py": "_message",
    "facecli/tasks/logs/handler.py": "TaskLogHandler.emit",
    "facecli/telemetry/logs.py": "_Formatter.format",
    "facecli/worker/process.py": "exit_process",
    "facecli/worker/supervisor.py": "Supervisor._recover",
    "facecli/worker/runner.py": "TaskRunner._run",
}

Finding = tuple[int, str]
Modules = dict[str, tuple[Path, dict[str, int]]]  # name → its file, and the first line of every use


def violations(root: Path) -> list[str]:
    """Every breach in the checkout at `root`, as `file:line: text`."""
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
        findings = [*layer_breaches(file, uses), *guarded_uses(file, uses), *broad_catches(file, tree)]
        found |= {f"{file}:{line}: {text}" for line, text in findings}
    found |= set(import_cycles(modules))
    for path in (path for folder in ("facecli", "tests", "proto") for path in (root / folder).rglob("*.py")):
        lines = len(path.read_text().splitlines())
        if lines > MAX_FILE_LINES and "generated" not in path.parts:
            found.add(f"{path.relative_to(root)}:{lines}: longer than {MAX_FILE_LINES} lines")
    found |= set(crowded_folders(root))
    return sorted(found)


def crowded_folders(root: Path) -> Iterator[str]:
    files = Counter(path.parent for folder in ("facecli", "tests") for path in (root / folder).rglob("*.py"))
    for folder, count in files.items():
        if count > MAX_FOLDER_FILES and folder.name not in GROWING_FOLDERS:
            yield f"{folder.relative_to(root)}:{count}: more than {MAX_FOLDER_FILES} files"


def top_name(file: Path) -> str:
    return Path(file.parts[1]).stem


def is_home(file: Path, homes: str) -> bool:
    return bool({top_name(file), str(file)} & set(homes.split()))


def used_names(tree: ast.Module, file: Path) -> Iterator[Finding]:
    """Full names of imports (`from a.b import c` is `a.b.c`), and the other names that HOMES guards."""
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
    importer = top_name(file)
    if importer not in DEPTH:
        yield 1, f"{importer} has no layer"
        return
    for line, name in uses:
        if name.split(".")[0] != "facecli":
            continue
        imported = next((part for part in name.split(".")[1:2] if part in DEPTH), "__init__")
        if imported != importer and DEPTH[imported] <= DEPTH[importer]:
            relation = "is beside" if DEPTH[imported] == DEPTH[importer] else "is above"
            yield line, f"{importer} imports {imported}, which {relation} it"


def guarded_uses(file: Path, uses: list[Finding]) -> Iterator[Finding]:
    for homes, guarded in HOMES.items():
        for line, name in uses if not is_home(file, homes) else []:
            if parent := next((one for one in guarded.split() if f"{name}.".startswith(f"{one}.")), None):
                yield line, f"{parent} is only for {', '.join(homes.split())}"


def broad_catches(file: Path, tree: ast.Module) -> Iterator[Finding]:
    """Catches of every exception outside BROAD_CATCHES; a handler may end in a bare `raise` instead."""
    allowed_functions = BROAD_CATCHES.get(str(file), "").split()
    allowed = {
        node for name, function in functions(tree) if name in allowed_functions for node in ast.walk(function)
    }
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
        if node not in allowed and re.search(r"\b(Base)?Exception\b", caught):
            yield node.lineno, "a broad catch hides bugs"


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            methods = (
                method for method in node.body if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
            )
            yield from ((f"{node.name}.{method.name}", method) for method in methods)


def import_cycles(modules: Modules) -> Iterator[str]:
    """The first import cycle, if there is any."""
    graph = {
        module: {owner(name, modules) for name in uses} - {module, ""}
        for module, (_, uses) in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = error.args[1][:0:-1]
        start = cycle.index(min(cycle))
        cycle = [*cycle[start:], *cycle[:start]]
        file, uses = modules[cycle[0]]
        line = min(line for name, line in uses.items() if owner(name, modules) == cycle[1])
        yield f"{file}:{line}: import cycle: {' → '.join([*cycle, cycle[0]])}"


def owner(name: str, modules: Modules) -> str:
    """The module of ours that `name` is or is defined in; empty for a foreign name."""
    while name not in modules and name:
        name = name.rpartition(".")[0]
    return name


def test_no_architecture_rule_is_broken() -> None:
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
def test_a_planted_breach_is_found_at_its_line(
    planted: list[str], file: str, source: str, line: int, text: str
) -> None:
    assert [breach for breach in planted if breach.startswith(f"facecli/{file}:{line}: ") and text in breach]


@pytest.mark.parametrize(("file", "source"), ALLOWED)
def test_allowed_code_is_no_breach(planted: list[str], file: str, source: str) -> None:
    assert not [breach for breach in planted if breach.startswith(f"facecli/{file}:")]


def test_a_folder_with_too_many_files_is_found(planted: list[str]) -> None:
    assert [text for text in planted if text.startswith("facecli/core:") and "more than" in text]
