"""`facecli token`: manage a server's access tokens."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from facecli.cli.shared.command import with_settings
from facecli.cli.shared.exits import each
from facecli.cli.shared.help import add_commands
from facecli.cli.shared.objects import token_object
from facecli.cli.shared.options import Database, DataDir, time
from facecli.cli.shared.output import Output
from facecli.config.settings import Settings

if TYPE_CHECKING:
    from facecli.core.auth import Token, Tokens, TokenStatus

app = typer.Typer(rich_markup_mode=None)


@partial(with_settings, quiet_help="Print only the token.")
def create(
    settings: Settings,
    output: Output,
    user: Annotated[
        str, typer.Argument(metavar="NAME", help="User that the token authenticates.", show_default=False)
    ],
    expires: Annotated[
        float | None,
        typer.Option("--expires", metavar="TIME", parser=time, help="Lifetime; unlimited if not given."),
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="Allow acting as any user.")] = False,
    data_dir: DataDir = None,
    database: Database = None,
) -> None:
    """Create a token for a user and print it.

    The token is shown only once; the server stores its SHA-256. A user can have several tokens. A server that
    runs with --auth token accepts a new token at once.

    Example: facecli token create ann --expires 30d --data-dir /srv/facecli > ann.token

    Exit codes: 0 success, 2 invalid name or unusable directory, 6 database unreachable.
    """
    from facecli.bootstrap.location import has_served
    from facecli.config.paths import data_directory

    with _open_tokens(settings) as tokens:
        token, secret = tokens.create(user, expires_in=expires, admin=admin)
        status = token.status(token.created_at)
    output.show({**token_object(token, status), "token": secret}, text=secret, short=secret)
    output.note(f"token {token.id} of {_summary(token, status)}; it will not be shown again")
    _note_location(settings, output)
    if not has_served(settings):
        output.note(
            "no server has used that yet; a server takes tokens only from its own: facecli serve "
            f"{f'--data-dir {data_directory(settings)} ' if settings.data_dir else ''}--auth token"
        )


@partial(with_settings, quiet_help="Print only IDs.")
def list_tokens(
    settings: Settings,
    output: Output,
    data_dir: DataDir = None,
    database: Database = None,
) -> None:
    """List tokens, newest first.

    Expired and revoked tokens remain in the list.

    Example: facecli token list --data-dir /srv/facecli

    Exit codes: 0 success, 2 unusable directory, 6 database unreachable.
    """
    _note_location(settings, output)
    with _open_tokens(settings) as tokens:
        for token, status in tokens.listed():
            output.show(
                token_object(token, status), text=f"{token.id}  {_summary(token, status)}", short=token.id
            )


@partial(with_settings, quiet_help="Print only IDs.")
def revoke(
    settings: Settings,
    output: Output,
    ids: Annotated[
        list[str],
        typer.Argument(metavar="ID…", help="Token IDs, as listed by facecli token list.", show_default=False),
    ],
    data_dir: DataDir = None,
    database: Database = None,
) -> None:
    """Revoke tokens, even while the server runs.

    New calls are refused at once; running calls end within two seconds.

    Example: facecli token revoke 0f3a5c7e9b1d2f46 --data-dir /srv/facecli

    Exit codes: 0 success, 2 unusable directory, 5 token not found, 6 database unreachable.
    """
    _note_location(settings, output)
    with _open_tokens(settings) as tokens:

        def revoke_one(token_id: str) -> None:
            token = tokens.revoke(token_id)
            status = token.status(token.created_at)
            output.show(
                token_object(token, status), text=f"{token.id}  {_summary(token, status)}", short=token.id
            )

        each(ids, revoke_one, as_json=output.as_json)


def _open_tokens(settings: Settings) -> "AbstractContextManager[Tokens]":
    from facecli.bootstrap.tokens import tokens

    return tokens(settings)


def _note_location(settings: Settings, output: Output) -> None:
    from facecli.bootstrap.location import location

    output.note(f"tokens of {location(settings)}")


def _summary(token: "Token", status: "TokenStatus") -> str:
    """`ann, admin  valid until 2026-12-24 10:00 UTC`."""
    until = ""
    if token.expires_at is not None and token.revoked_at is None:
        until = f" {datetime.fromtimestamp(token.expires_at, UTC):until %Y-%m-%d %H:%M UTC}"
    return f"{token.user}{', admin' if token.admin else ''}  {status}{until}"


add_commands(app, {"create": create, "list": list_tokens, "revoke": revoke})
