"""The state store: what memsync remembers between runs, in SQLite or Postgres."""
