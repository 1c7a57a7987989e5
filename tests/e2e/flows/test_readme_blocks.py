"""README's blocks of commands, run in their order in one shell on an empty machine.

Stand-ins: pip and pytest do nothing, a server runs in the background until the next one starts, addresses are
free ports of this machine, and the other machine is a config file of its own. Everything else is as printed.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from facecli.media.ffmpeg import FfmpegMedia
from facecli.media.find import find_ffmpeg
from facecli.media.samples.portraits import FILMED
from tests.support.readme_tables import README
from tests.support.sockets import free_port

# No limit on the time of sixty commands: a busy machine takes many minutes.
pytestmark = [pytest.mark.slow, pytest.mark.media, pytest.mark.e2e, pytest.mark.timeout(3600)]

# Beginnings of blocks that are no commands, or need another machine; each must exist.
NOT_RUN = {
    "python3 -m venv": "runs as printed in .ci/run, and with a face recogniser in test_demo.py",
    "1 client, 1 file of 500 MB": "output",
    "a clip of 20 seconds": "output",
    "proto/          the wire": "the map of the code",
    "facecli serve --workers 0 --database": "needs PostgreSQL on another machine",
    "export AWS_ENDPOINT_URL": "needs S3 on another machine",
    "facecli doctor --server facecli.example": "needs a proxy: test_doctor_behind_proxies.py",
    "export FACECLI_DATABASE": "needs PostgreSQL and S3 on other machines",
    "curl -o result.mp4 http": "needs the ID of a task of its reader",
    "dart pub global activate": "needs Dart",
    "facecli upload clip.mp4 --server one.example": "needs other machines with names",
    "journalctl -u facecli": "needs a service of systemd",
    "pip install '.[onnx]'": "needs weights of one's own",
    "facecli engines\n": "needs the plug-in: tests/e2e/server/test_plugins.py",
}
TOML = "["
ON_THE_CLIENT = "[default]"

SHELL = r"""
set -euo pipefail
stop() { if [ -n "${1:-}" ]; then kill "$1" && wait "$1" || true; fi; }
server= proxy=
trap 'stop "$server"; stop "$proxy"' EXIT
run_until_ready() {
    : > ready
    command facecli "$@" > ready 2>> log & started=$!
    until grep -q listening ready; do kill -0 $started; read -rt 0.1 <> pause || true; done
}
facecli() {
    case $1 in
        serve) stop "$server"; run_until_ready "$@"; server=$started ;;
        chaos)
            [ -n "$server" ] || facecli serve  # the integrity check has stopped it
            run_until_ready "$@"; proxy=$started ;;
        fsck | gc) stop "$server"; server=; command facecli "$@" ;;
        bench) command facecli "$@" --help ;;  # measuring takes minutes
        *) command facecli "$@" ;;
    esac
}
"""


def blocks(text: str) -> list[str]:
    """The fenced blocks without a language, in order."""
    found, block, plain = list[str](), list[str](), False
    inside = False
    for line in text.splitlines(keepends=True):
        if line.startswith("```"):
            if inside and plain:
                found.append("".join(block))
            inside, plain, block = not inside, line.strip() == "```", []
        else:
            block.append(line)
    return found


def machine(folder: Path) -> None:
    """A directory with the clone's environment and the files that README's commands name."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    scripts = {
        "facecli": f'#!/bin/sh\nexec "{sys.executable}" -m facecli "$@"\n',
        "pip": "#!/bin/sh\n",
        "pytest": "#!/bin/sh\n",
    }
    for name, text in scripts.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n')
    FfmpegMedia().make_portraits(folder, seconds=1)
    small = ("-i", "whole.mp4", "-r", "10", "-vf", "scale=320:-2", "-c:a", "copy", "clip.mp4")  # for 17 swaps
    (folder / "clip.mp4").rename(folder / "whole.mp4")
    subprocess.run([find_ffmpeg(), "-v", "error", *small], cwd=folder, check=True)
    (folder / "whole.mp4").unlink()
    Image.open(FILMED).convert("RGB").save(folder / "her.jpg")
    os.mkfifo(folder / "pause")


def script(folder: Path) -> str:
    """All blocks as one script, each announced on stderr."""
    server, proxy, http, metrics = (free_port() for _ in range(4))
    parts, client = [SHELL], False
    for printed_block in blocks(README.read_text(encoding="utf-8")):
        if printed_block.startswith(tuple(NOT_RUN)):
            continue
        block = printed_block
        for printed, here in {
            "127.0.0.1:50051": f"127.0.0.1:{server}",
            "0.0.0.0:50051": f"0.0.0.0:{server}",
            "192.0.2.7:50051": f"127.0.0.1:{server}",
            "192.0.2.7": "127.0.0.1",
            "127.0.0.1:8080": f"127.0.0.1:{http}",
            "127.0.0.1:50099": f"127.0.0.1:{proxy}",
            "127.0.0.1:9464": f"127.0.0.1:{metrics}",
            "/mnt/backup": str(folder / "backup"),
            "/home/ann/ca.pem": str(folder / "certs" / "ca.pem"),
            "/home/ann/ann.token": str(folder / "ann.token"),
            '"$first" "$second"': '"$task" "$task"',
        }.items():
            block = block.replace(printed, here)
        if block.startswith(TOML):
            client = block.startswith(ON_THE_CLIENT)
            file = folder / ("client.toml" if client else "config.toml")
            file.write_text(file.read_text() + block if file.exists() else block)
        else:
            parts.append(f"cat >&2 <<'BLOCK'\n+ {block}BLOCK\n")
            parts.append(f"export FACECLI_CONFIG={folder / 'client.toml'}\n" if client else "")
            parts.append(block)
            parts.append(f"export FACECLI_CONFIG={folder / 'config.toml'}\n" if client else "")
            client = False
    (folder / "config.toml").touch()
    settings = f"export FACECLI_BIND=127.0.0.1:{server} FACECLI_CONFIG={folder / 'config.toml'}\n"
    return settings + f"export FACECLI_SERVER=127.0.0.1:{server}\n" + "".join(parts)


def test_every_block_runs_in_the_printed_order(tmp_path: Path) -> None:
    machine(tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACECLI_")}
    environment |= {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "share")}
    (tmp_path / "script").write_text(script(tmp_path))
    done = subprocess.run(
        ["bash", "script"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    for name in ("out.mp4", "results/clip.mp4", "piped.mp4", "order-4711.mp4", "copy.mp4"):
        assert (tmp_path / name).stat().st_size > 0, name
    directory = tmp_path / "share" / "facecli"
    for sentence in ("no damage found in", "tokens of"):
        assert f"{sentence} {directory}" in done.stderr


@pytest.mark.parametrize("beginning", NOT_RUN)
def test_a_block_that_is_not_run_exists(beginning: str) -> None:
    assert [block for block in blocks(README.read_text(encoding="utf-8")) if block.startswith(beginning)]
