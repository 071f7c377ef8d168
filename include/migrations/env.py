"""Alembic's environment: the product hands it an open connection (engagement.schema)."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table_schema="ops")
with context.begin_transaction():
    context.run_migrations()
