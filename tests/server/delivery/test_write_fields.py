"""The head of an outbox."""

from irchat.server.delivery.outbox import Outbox
from irchat.server.delivery.write_fields import WriteFields
from tests.helpers.outboxes import OutboxTestCase


class WriteFieldsTests(OutboxTestCase):
    """`WriteFields`."""

    def test_no_dictionary(self) -> None:
        """An outbox has slots alone, the first of which are those of every write."""
        self.assertEqual(Outbox.__bases__, (WriteFields,))
        self.assertFalse(hasattr(self.outbox, "__dict__"))
        self.assertEqual(set(WriteFields.__slots__) & set(Outbox.__slots__), set())
