"""How the database came to be, step by step; run by `datasources.postgres.migrate`."""
