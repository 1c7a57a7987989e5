"""The load on a PostgreSQL and on processes over a time: statements, transactions, connections and CPU."""

import os
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

TICK = os.sysconf("SC_CLK_TCK")
_COUNTS = "SELECT query, sum(calls)::bigint FROM pg_stat_statements GROUP BY query"
_COMMITS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


@dataclass(frozen=True, kw_only=True)
class Load:
    """Counters at one time."""

    at: float
    statements: Counter[str]
    transactions: int
    connections: int
    server_cpu: float
    client_cpu: float

    def since(self, before: "Load", *, workers: int) -> str:
        """Rates since an earlier time, as a paragraph."""
        seconds = self.at - before.at
        statements = self.statements - before.statements
        frequent = "".join(
            f"\n    {number / seconds:8.1f}/s {' '.join(query.split())[:110]}"
            for query, number in statements.most_common(12)
        )
        return (
            f"{seconds:.0f} s: {statements.total() / seconds:.0f} statements/s, "
            f"{(self.transactions - before.transactions) / seconds:.0f} transactions/s, "
            f"{self.connections} connections; CPU of PostgreSQL "
            f"{100 * (self.server_cpu - before.server_cpu) / seconds:.0f} %, of a worker "
            f"{100 * (self.client_cpu - before.client_cpu) / seconds / workers:.1f} % of a core{frequent}"
        )


def load(url: str, server: int, clients: int) -> Load:
    """The counters now; `server` and `clients` are the processes at the top of two trees."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        statements = Counter({query: int(number) for query, number in connection.execute(_COUNTS)})
        (transactions,) = connection.execute(_COMMITS).fetchone() or (0,)
        (connections,) = connection.execute(_CONNECTIONS).fetchone() or (0,)
    return Load(
        at=time.monotonic(),
        statements=statements,
        transactions=int(transactions),
        connections=int(connections),
        server_cpu=tree_cpu(server),
        client_cpu=tree_cpu(clients),
    )


def tree_cpu(root: int) -> float:
    """CPU seconds of a process, of its descendants, and of those that have ended."""
    fields = dict[int, list[str]]()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields[int(path.name)] = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
    tree = {root}
    while more := {pid for pid, values in fields.items() if int(values[1]) in tree} - tree:
        tree |= more
    return sum(sum(map(int, fields[pid][11:15])) for pid in tree if pid in fields) / TICK
