"""Processes of the machine, read from /proc."""

import os
import select
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.support.eventually import DEADLINE

_KIB = 1024


def parent(pid: int) -> int:
    return int(_status(pid, "PPid"))


def peak_memory_bytes(pid: int) -> int:
    """The most memory that was resident since the start of the process."""
    return int(_status(pid, "VmHWM")) * _KIB


def session_members(session_id: int) -> list[int]:
    """Every process of a session."""
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            *_, after_name = (folder / "stat").read_text().rpartition(")")
            if int(after_name.split()[3]) == session_id:
                members.append(int(folder.name))
    return members


def processes_of(data_dir: Path) -> dict[int, list[str]]:
    """The arguments, by pid, of each process that has a data directory in its arguments or environment."""
    processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
            environment = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            named = any(str(data_dir) in argument for argument in arguments)
            if named or f"FACECLI_DATA_DIR={data_dir}" in environment:
                processes[int(folder.name)] = arguments
    return processes


def wait_until_gone(pids: Iterable[int]) -> None:
    """Wait until each of these processes, which need not be children, has ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                assert select.select([handle], [], [], DEADLINE)[0], f"process {pid} still runs"
            finally:
                os.close(handle)


def _status(pid: int, field: str) -> str:
    return Path(f"/proc/{pid}/status").read_text().split(f"{field}:")[1].split()[0]
