"""Findings of checks, and the way they are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from facecli.core.errors import FacecliError

Result = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Result of one check; a `warning` is the next step for what works and should not stay so."""

    check: str
    found: str
    warning: str = ""
    error: FacecliError | None = None
    more: dict[str, Any] | None = None
    server: str = ""  # the address, where there are several


def run_check(name: str, check: Callable[[], Result], *, server: str = "") -> Finding:
    """Run a check."""
    try:
        found, more = check()
        return Finding(check=name, found=found, warning=more.pop("warning", ""), more=more, server=server)
    except FacecliError as error:
        return Finding(check=name, found=error.message, error=error, server=server)


def lines_of(finding: Finding) -> list[str]:
    """Lines for people."""
    mark = "✗" if finding.error else "!" if finding.warning else "✓"
    server = f"{finding.server}: " if finding.server else ""
    lines = [f"{mark} {finding.check:8} {server}{finding.found}"]
    if finding.error and finding.error.hint:
        lines.append(f"{'':10} hint: {finding.error.hint}")
    if finding.warning:
        lines.append(f"{'':10} warning: {finding.warning}")
    return lines


def object_of(finding: Finding) -> dict[str, Any]:
    """The object of --json."""
    return {
        "check": finding.check,
        "ok": finding.error is None,
        "found": finding.found,
        "hint": finding.error.hint if finding.error else "",
        "warning": finding.warning,
        **({"server": finding.server} if finding.server else {}),
        **(finding.more or {}),
    }
