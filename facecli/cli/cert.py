"""`facecli cert`: certificates for development."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.shared.help import add_commands
from facecli.cli.shared.options import Json, Quiet
from facecli.cli.shared.output import Output

HERE = ("localhost", "127.0.0.1", "::1")

app = typer.Typer(help="Make certificates for development.", rich_markup_mode=None)


def dev(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where the six files are written.", show_default=False)
    ] = Path("certs"),
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host", metavar="NAME", help="Another name or address of the server; may be repeated."
        ),
    ] = None,
    user: Annotated[
        str, typer.Option("--user", metavar="NAME", help="Whose the client's certificate is.")
    ] = "local",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make an authority, a server's and a client's certificate.

    The server's is for localhost, 127.0.0.1, ::1, the name of this machine and what --host adds. Who has
    ca.key can make more certificates that count, so leave it where it was made. They hold for a year. Needs
    the extra: pip install 'facecli[tls]'.

    Example: facecli cert dev certs --host 192.0.2.7

    Exit codes: 0 done, 1 the extra is missing, 2 a file is there already or cannot be written.
    """
    from facecli.certificates import make_dev_certificates

    hosts = list(dict.fromkeys([*HERE, socket.gethostname(), *(host or [])]))
    made = make_dev_certificates(directory, hosts=hosts, user=user)
    output = Output(as_json=as_json, quiet=quiet)
    files = {name: str(getattr(made, name)) for name in made.__slots__}
    lines = "\n".join(files.values())
    output.show({**files, "hosts": hosts, "user": user}, text=lines, short=lines)
    output.note(f"for a server at {', '.join(hosts)}, and a client that is {user}")
    output.note(f"facecli serve --auth token --tls-cert {made.server} --tls-key {made.server_key}")
    output.note(f"facecli doctor --tls-ca {made.ca}")


add_commands(app, {"dev": dev})
