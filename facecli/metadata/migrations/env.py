"""Alembic's entry point: runs the migrations in the transaction that `schema.upgrade` opened."""

from alembic import context

from facecli.metadata.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
