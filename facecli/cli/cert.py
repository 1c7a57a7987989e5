"""`facecli cert`: create certificates for development."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from facecli.cli.shared.help import add_commands
from facecli.cli.shared.options import Json
from facecli.cli.shared.output import Output

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

app = typer.Typer(rich_markup_mode=None)


def dev(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Directory for the six files.", show_default=False)
    ] = Path("certs"),
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host", metavar="NAME", help="Additional host name or address of the server; can be repeated."
        ),
    ] = None,
    user: Annotated[
        str, typer.Option("--user", metavar="NAME", help="User of the client certificate.")
    ] = "local",
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only the paths.")] = False,
) -> None:
    """Create a CA, a server certificate and a client certificate.

    The server certificate covers localhost, 127.0.0.1, ::1, this machine's name and every --host. Server and
    client certificates are valid for one year. Keep ca.key on this machine: its holder can issue trusted
    certificates. Needs trustme: pip install trustme.

    Example: facecli cert dev certs --host 192.0.2.7

    Exit codes: 0 success, 1 the extra is not installed, 2 a file exists or cannot be written.
    """
    from facecli.certificates import make_dev_certificates

    hosts = list(dict.fromkeys([*LOCAL_HOSTS, *_machine_name(), *(host or [])]))
    certificates = make_dev_certificates(directory, hosts=hosts, user=user)
    output = Output(as_json=as_json, quiet=quiet)
    files = {name: str(getattr(certificates, name)) for name in certificates.__slots__}
    lines = "\n".join(files.values())
    output.show({**files, "hosts": hosts, "user": user}, text=lines, short=lines)
    output.note(f"server: {', '.join(hosts)}; client: {user}")
    output.note(
        f"facecli serve --auth token --tls-cert {certificates.server} --tls-key {certificates.server_key}"
    )
    output.note(f"facecli doctor --tls-ca {certificates.ca}")


def _machine_name() -> list[str]:
    """This machine's name, unless it is not a valid host name, such as one with an underscore."""
    name = socket.gethostname()
    valid = name.isascii() and name.replace("-", "").replace(".", "").isalnum()
    return [name] if valid else []


add_commands(app, {"dev": dev})
