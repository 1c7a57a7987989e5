"""Alerts and dashboard: accepted by Prometheus, about metrics that exist, and right in time."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facecli.operations.alerts import alerts
from facecli.operations.dashboard import ROWS, WIDTH, dashboard
from facecli.telemetry.metrics.catalog import METRICS, Kind
from tests.support.e2e.requirements import needs
from tests.unit.operations.alert_cases import CASES, Case

SUFFIXES = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}
SERIES = {
    f"{metric.name}{suffix}": {*metric.labels, "le"} if suffix == "_bucket" else {*metric.labels}
    for metric in METRICS
    for suffix in SUFFIXES.get(metric.kind, ("",))
}
FOREIGN = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"}
OF_PROMETHEUS = {"instance", "job"}  # labels


def alert_queries() -> list[str]:
    """The condition of each alert, on one line."""
    found = re.findall(r"^ +expr: (?:>-\n)?(.*?)\n +(?:for|labels):", alerts(), re.MULTILINE | re.DOTALL)
    return [" ".join(query.split()) for query in found]


def dashboard_queries() -> list[str]:
    return [query for panels in ROWS.values() for panel in panels for query in panel.queries.values()]


def used_series(query: str) -> set[str]:
    return set(re.findall(r"\b(?:facecli|process)_\w+|\bup\b", query))


def used_labels(query: str) -> set[str]:
    groups = [
        *re.findall(r"\b(?:by|on) \(([^)]*)\)", query),
        *(re.sub(r'"[^"]*"', "", block) for block in re.findall(r"\{([^}]*)\}", query)),
    ]
    return {label for group in groups for label in re.findall(r"\w+", group)}


@pytest.mark.parametrize("query", [*alert_queries(), *dashboard_queries()])
def test_a_query_uses_only_series_and_labels_that_exist(query: str) -> None:
    series = used_series(query)
    assert series
    assert series <= SERIES.keys() | FOREIGN
    labels = set().union(*(SERIES.get(name, set()) for name in series))
    assert used_labels(query) <= labels | OF_PROMETHEUS


def test_every_metric_is_on_the_dashboard() -> None:
    shown = set().union(*map(used_series, dashboard_queries()))
    missing = {
        metric.name
        for metric in METRICS
        if not shown & {f"{metric.name}{suffix}" for suffix in SUFFIXES.get(metric.kind, ("",))}
    }
    assert missing == set()


def test_every_alert_has_a_time_line_and_words() -> None:
    names = re.findall(r"- alert: (\w+)", alerts())
    assert len(names) == len(set(names)) == len(alert_queries())
    assert {case.alert for case in CASES} == set(names)
    for word in ("severity:", "summary:", "description:"):
        assert alerts().count(word) == len(names)


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    model = json.loads(dashboard())
    taken = set[tuple[int, int]]()
    for panel in model["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < WIDTH
        assert not cells & taken
        taken |= cells
    identities = [panel["id"] for panel in model["panels"]]
    assert len(identities) == len(set(identities)) > 20


@needs("promtool")
def test_prometheus_accepts_the_alerts_and_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(alerts())
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(dashboard_queries())
    ]
    (tmp_path / "queries.yml").write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "alerts.yml", tmp_path / "queries.yml")


@needs("promtool")
def test_each_alert_fires_in_time_and_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(alerts())
    tests = {
        "rule_files": ["alerts.yml"],
        "evaluation_interval": "1m",
        "tests": [time_line(case) for case in CASES],
    }
    (tmp_path / "tests.yml").write_text(json.dumps(tests))
    promtool("test", "rules", tmp_path / "tests.yml")


def time_line(case: Case) -> dict[str, Any]:
    firing = f'count (ALERTS{{alertname="{case.alert}", alertstate="firing"}})'

    def expected() -> Iterator[dict[str, Any]]:
        for minute, count in ((case.silent, 0), (case.fires, 1), (case.resolved, 0)):
            samples = [{"labels": "{}", "value": count}] if count else []
            yield {"expr": firing, "eval_time": f"{minute}m", "exp_samples": samples}

    series = [{"series": name, "values": values} for name, values in case.series.items()]
    return {"interval": "1m", "input_series": series, "promql_expr_test": list(expected())}


def promtool(*arguments: object) -> None:
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
