"""The named properties of the database: its ``epoch`` and its ``folding``."""

import sqlite3


def get(connection: sqlite3.Connection, name: str) -> str | None:
    """Return the property ``name``, or None. Raises sqlite3.Error."""
    row = connection.execute("SELECT value FROM properties WHERE name = ?", (name,)).fetchone()
    return None if row is None else row[0]


def put(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Set the property ``name``. Raises sqlite3.Error."""
    connection.execute("INSERT OR REPLACE INTO properties (name, value) VALUES (?, ?)", (name, value))
