"""The names of `import facecli`: complete, typed, and imported on first use."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import facecli
from facecli.core import errors

STUB = Path(facecli.__file__).with_suffix(".pyi")


def test_type_checkers_see_the_names_that_exist() -> None:
    typed = dict[str, str]()  # name → its module, for imports
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            typed |= {alias.asname or alias.name: node.module or "" for alias in node.names}
        elif isinstance(node, ast.Assign):
            typed |= {ast.unparse(target): "" for target in node.targets}
        elif isinstance(node, ast.AnnAssign):
            typed[ast.unparse(node.target)] = ""
    assert {name for name in typed if not name.startswith("_") or name == "__version__"} == {*facecli.__all__}
    for name, module in typed.items():
        assert hasattr(facecli, name) or module, name
        if module not in {"", "facecli"} and not name.startswith("_"):
            assert getattr(facecli, name) is getattr(import_module(module), name)
    assert Path(facecli.__file__).with_name("py.typed").exists()


def test_every_error_is_public() -> None:
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert kinds <= {*facecli.__all__}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'facecli' has no attribute 'conect'"):
        facecli.conect  # type: ignore[attr-defined]  # noqa: B018


def test_the_import_loads_nothing_and_is_quiet() -> None:
    program = "import sys, facecli; print(*[name for name in sys.modules if name.startswith('facecli.')])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("\n", "")
