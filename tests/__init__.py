"""The tests of CalSync. ``make test`` runs them all, on SQLite and, where it is here, on PostgreSQL."""
