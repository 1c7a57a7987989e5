"""SqlTokenRepository: tokens as database rows."""

from collections.abc import Sequence

from sqlalchemy import Engine, RowMapping, func, insert, select, update

from facecli.core.auth import Token
from facecli.core.errors import NotFound
from facecli.metadata.database import autocommitting, reading
from facecli.metadata.tables import tokens


class SqlTokenRepository:
    """TokenRepository in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def insert(self, token: Token) -> None:
        row = {column.name: getattr(token, column.name) for column in tokens.c}
        with autocommitting(self._engine) as connection:
            connection.execute(insert(tokens).values(row))

    def find(self, token_id: str) -> Token | None:
        query = select(tokens).where(tokens.c.id == token_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return _token(row) if row else None

    def listed(self) -> Sequence[Token]:
        query = select(tokens).order_by(tokens.c.created_at.desc(), tokens.c.id.desc())
        with reading(self._engine) as connection:
            return [_token(row) for row in connection.execute(query).mappings()]

    def revoke(self, token_id: str, *, now: float) -> Token:
        revocation = (
            update(tokens)
            .where(tokens.c.id == token_id)
            .values(revoked_at=func.coalesce(tokens.c.revoked_at, now))
            .returning(tokens)
        )
        with autocommitting(self._engine) as connection:
            row = connection.execute(revocation).mappings().first()
        if row is None:
            raise NotFound(f"there is no token {token_id}; facecli token list shows the ids")
        return _token(row)


def _token(row: RowMapping) -> Token:
    return Token(**row)
