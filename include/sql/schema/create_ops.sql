-- Alembic keeps its version table here, so the schema comes before the first migration.
CREATE SCHEMA IF NOT EXISTS ops
