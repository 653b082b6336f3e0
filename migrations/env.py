"""Runs the migrations in one transaction on the connection that `datasources.postgres.migrate` hands over."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from datasources.postgres import job_tables, tables

# Importing the tables is what fills the metadata.
assert tables.AnswerRow.metadata is job_tables.JobRow.metadata is SQLModel.metadata  # noqa: S101 - says so, checked

context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata)
with context.begin_transaction():
    context.run_migrations()
