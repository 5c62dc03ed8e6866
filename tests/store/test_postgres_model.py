"""The store in PostgreSQL against the model of `tests.helpers.store_model`."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from irchat.store.postgres.connecting import Connection, Database
from irchat.store.postgres.engine import PostgresStore
from irchat.store.postgres.search import searching
from irchat.store.postgres.search.vectors import vector
from irchat.store.threads import NoThreads
from tests.helpers.services import shared_postgres
from tests.helpers.store_model import StoreMachine


class PostgresMachine(StoreMachine):
    """The store, the model, and the clients."""

    def make(self) -> None:
        """Make a database."""
        self.url = shared_postgres().new_database()

    def open(self) -> None:
        """Open the store."""
        self.store = PostgresStore(Database(self.url), NoThreads())

    def check(self) -> None:
        """Check that the search index has the words of the messages, and drop the database."""
        with Database(self.url).connect() as connection:
            assert stale_words(connection) == []
        shared_postgres().drop_database(self.url)


def stale_words(connection: Connection) -> list[int]:
    """Return the ids of rows of the search index that have other words than their message, or of a deleted message."""
    rows = connection.execute(
        "SELECT places.id, places.words::text, messages.chat, text FROM places LEFT JOIN messages USING (id)"
    ).fetchall()
    stale = []
    for message_id, words, chat, text in rows:
        expected = "" if text is None else connection.execute("SELECT %s::tsvector::text", (vector(chat, text),))
        if words != (expected and expected.fetchone()[0]):  # type: ignore[index]
            stale.append(message_id)
    return stale


class ModelTests(SynchronousTestCase):
    """Random histories."""

    def setUp(self) -> None:
        """Let no search end early because the machine is slow. Skip the tests where PostgreSQL is missing."""
        self.patch(searching, "_SEARCH_SECONDS", 60)
        self.patch(searching, "_STATEMENT_SECONDS", 60)
        shared_postgres()

    def test_histories(self) -> None:
        """Whatever is done, the store agrees with the model after each step."""
        run_state_machine_as_test(PostgresMachine, settings=settings(max_examples=2, stateful_step_count=25))

    @pytest.mark.slow
    def test_more_histories(self) -> None:
        """The same, for longer."""
        run_state_machine_as_test(PostgresMachine, settings=settings(max_examples=40, stateful_step_count=60))
