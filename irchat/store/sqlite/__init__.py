"""The SQLite store: all SQL is here."""
