"""`facecli token`: who may call a server that asks."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.exits import each
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.objects import token_object
from facecli.cli.shared.options import Database, DataDir, Json, Profile, Quiet, time
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings

if TYPE_CHECKING:
    from facecli.core.auth import Token, Tokens, TokenStatus

app = typer.Typer(help="Make, list and revoke the tokens of a server, on its machine.", rich_markup_mode=None)


@with_settings
def create(
    settings: Settings,
    user: Annotated[str, typer.Argument(metavar="NAME", help="The user it is for.", show_default=False)],
    expires: Annotated[
        float | None,
        typer.Option(
            "--expires", metavar="TIME", parser=time, help="How long it holds; for ever if not given."
        ),
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="Let it act for every user.")] = False,
    data_dir: DataDir = None,
    database: Database = None,
    profile: Profile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a token for a user and print it.

    It is shown this once: the server keeps only its SHA-256. One user may have several. A server started with
    --auth token takes it at once.

    Example: facecli token create ann --expires 30d --data-dir /srv/facecli > ann.token

    Exit codes: 0 done, 2 not a name or a directory that cannot be used, 6 no database.
    """
    output = Output(as_json=as_json, quiet=quiet)
    with _opened(settings) as tokens:
        token, secret = tokens.create(user, expires_in=expires, admin=admin)
        status = token.status(token.created_at)
    output.show({**token_object(token, status), "token": secret}, text=secret, short=secret)
    output.note(f"token {token.id} of {_about(token, status)}; it is not shown again")


@with_settings
def list_tokens(
    settings: Settings,
    data_dir: DataDir = None,
    database: Database = None,
    profile: Profile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the tokens, the newest first.

    Expired and revoked ones stay in the list.

    Example: facecli token list --data-dir /srv/facecli

    Exit codes: 0 done, also with none, 2 a directory that cannot be used, 6 no database.
    """
    output = Output(as_json=as_json, quiet=quiet)
    with _opened(settings) as tokens:
        for token, status in tokens.listed():
            output.show(
                token_object(token, status), text=f"{token.id}  {_about(token, status)}", short=token.id
            )


@with_settings
def revoke(
    settings: Settings,
    ids: Annotated[
        list[str], typer.Argument(metavar="ID…", help="Ids of tokens, from the list.", show_default=False)
    ],
    data_dir: DataDir = None,
    database: Database = None,
    profile: Profile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Revoke tokens, also while the server runs.

    New calls are refused at once; one that runs ends within two seconds.

    Example: facecli token revoke 0f3a5c7e9b1d2f46 --data-dir /srv/facecli

    Exit codes: 0 revoked, now or earlier, 2 a directory that cannot be used, 5 no such token, 6 no database.
    """
    output = Output(as_json=as_json, quiet=quiet)
    with _opened(settings) as tokens:

        def work(token_id: str) -> None:
            token = tokens.revoke(token_id)
            status = token.status(token.created_at)
            output.show(
                token_object(token, status), text=f"{token.id}  {_about(token, status)}", short=token.id
            )

        each(ids, work, as_json=as_json)


def _opened(settings: Settings) -> "AbstractContextManager[Tokens]":
    from facecli.bootstrap.tokens import tokens

    return tokens(settings)


def _about(token: "Token", status: "TokenStatus") -> str:
    """`ann, admin  valid until 2026-12-24 10:00 UTC`."""
    until = ""
    if token.expires_at is not None and token.revoked_at is None:
        until = f" {datetime.fromtimestamp(token.expires_at, UTC):until %Y-%m-%d %H:%M UTC}"
    return f"{token.user}{', admin' if token.admin else ''}  {status}{until}"


add_commands(app, {"create": create, "list": list_tokens, "revoke": revoke})
