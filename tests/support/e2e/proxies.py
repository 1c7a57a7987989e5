"""Real proxies with the generated configurations: HAProxy and nginx, with TLS ended there or passed through.

They connect to the servers from an address of their own, so that it is not that of the clients.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from facecli.certificates import DevCertificates
from facecli.operations.front import Front
from facecli.operations.haproxy import haproxy_pass_through, haproxy_site
from facecli.operations.nginx import nginx_site, nginx_stream
from tests.support.sockets import free_port

SOURCE = "127.0.0.2"
ENDED = ("haproxy", "nginx")
PASSED_THROUGH = ("haproxy pass-through", "nginx pass-through")
STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")

_PARTS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
ENVIRONMENT = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin"}

Command = Sequence[str | Path]


def front_of(certs: DevCertificates, folder: Path, *, servers: Sequence[str], http_port: int) -> Front:
    """localhost at a free port; one file has certificate and key, as HAProxy wants it."""
    both = folder / "both.pem"
    both.write_bytes(certs.server.read_bytes() + certs.server_key.read_bytes())
    return Front(
        name="localhost",
        port=free_port(),
        servers=servers,
        http_port=http_port,
        cert=str(both),
        key=str(certs.server_key),
    )


def proxy_command(kind: str, front: Front, folder: Path) -> Command:
    """Write the configuration of a proxy into a folder; the command that runs it."""
    file = folder / f"{kind}.conf"
    if kind.startswith("haproxy"):
        text = haproxy_site(front) if kind == "haproxy" else haproxy_pass_through(front)
        file.write_text(text.replace("    retries 3\n", f"    retries 3\n    source {SOURCE}\n"))
        return "haproxy", "-db", "-q", "-f", file
    main = f"daemon off; pid {folder}/{front.port}.pid; events {{ worker_connections 2000; }}\n"
    if kind == "nginx":
        temporary = "".join(f"{part}_temp_path {folder}/{part};\n" for part in _PARTS)
        bound = f"access_log off; proxy_bind {SOURCE}; grpc_bind {SOURCE};\n"
        file.write_text(f"{main}http {{\n{bound}{temporary}{nginx_site(front)}}}\n")
    else:
        stream = nginx_stream(front, local=f"127.0.0.1:{free_port()}")
        stream = stream.replace("\nstream {\n", f"\nstream {{\nproxy_bind {SOURCE};\n")
        file.write_text(f"load_module {STREAM_MODULE};\n{main}{stream}")
    return "nginx", "-e", "stderr", "-c", file


@contextmanager
def running(command: Command) -> Iterator["subprocess.Popen[bytes]"]:
    """The process, in a session of its own: nginx has children."""
    with subprocess.Popen(command, env=ENVIRONMENT, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.terminate()
