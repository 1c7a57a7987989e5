"""Write facecli/wire/generated from proto/*.proto; with --check only say whether it would change."""

import argparse
import filecmp
import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
GENERATED = PROTO.parent / "facecli" / "wire" / "generated"
PACKAGE = "facecli.wire.generated"

# protoc imports a neighbour as if it were at the top level: https://github.com/protocolbuffers/protobuf/issues/1491
_NEIGHBOUR = re.compile(r"^import (\w+_pb2)", re.MULTILINE)


def generate(folder: Path) -> None:
    """Write the package's files into `folder`, which exists."""
    arguments = [
        "protoc",
        f"-I{PROTO}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={folder}",
        f"--pyi_out={folder}",
        f"--grpc_python_out={folder}",
        f"--plugin=protoc-gen-mypy_grpc={Path(sys.executable).parent / 'protoc-gen-mypy_grpc'}",
        f"--mypy_grpc_out={folder}",
        *(file.name for file in sorted(PROTO.glob("*.proto"))),
    ]
    if protoc.main(arguments):
        raise SystemExit("protoc failed")
    for file in folder.glob("*_pb2*.py*"):
        file.write_text(_NEIGHBOUR.sub(rf"from {PACKAGE} import \1", file.read_text()))
    (folder / "__init__.py").write_text('"""Made by proto/generate.py; do not edit."""\n')


def differences(made: Path, kept: Path) -> list[str]:
    """Names of files that are not the same in both folders."""
    names = {file.name for folder in (made, kept) for file in folder.glob("*.py*")}
    _, changed, missing = filecmp.cmpfiles(made, kept, names, shallow=False)
    return sorted(changed + missing)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when files would change")
    if not parser.parse_args().check:
        generate(GENERATED)
        return
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        changed = differences(Path(folder), GENERATED)
    if changed:
        sys.exit(f"proto/generate.py would change: {', '.join(changed)}")


if __name__ == "__main__":
    main()
