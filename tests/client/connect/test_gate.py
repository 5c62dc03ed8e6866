"""Strings from a server as they enter the client."""

import json

import msgspec
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from irchat.client.connect.gate import safe, safe_line, safe_text
from irchat.client.connect.request_channel import RequestChannel
from irchat.protocol import events, wire
from tests.helpers import hostile_bytes
from tests.helpers.client_fakes import FakeServer, message, welcome

# What a text may hold and a name may not.
_IN_TEXTS = "\n\t\u200e\u200f\u061c\ufeff\u2060"


class GateTests(SynchronousTestCase):
    """Nothing that a terminal obeys, hides or reorders passes."""

    def test_every_field(self) -> None:
        """No field of any event or reply passes a hostile string."""
        heard: list[events.Event] = []
        server = FakeServer()
        RequestChannel(Clock(), server.connection, heard.append, lambda _: None)
        sent = hostile_bytes.every_event()
        for event in sent:
            server.tell(event)
        pings = [event for event in sent if isinstance(event, events.Ping)]
        self.assertEqual(len(heard), len(sent) - len(pings))
        for event in heard:
            for text in hostile_bytes.strings_in(event):
                self.assertIn("PWNED", text)
                self.assertEqual([c for c in text if not c.isprintable() and c not in _IN_TEXTS], [], (event, text))
                self.assertEqual(hostile_bytes.raw_in(text.encode()), [])

    def test_lines_and_texts(self) -> None:
        """Names become one line without invisible characters. Texts keep line feeds, tabs and direction marks."""
        self.assertEqual(safe_line("a\nb\tc\u2028\u200e\ufeffd"), "a\u240ab\u2409c\ufffd\ufffd\ufffdd")
        self.assertEqual(safe_text("a\nb\tc\u2028\u2029\u200e\u202e"), "a\nb\tc\n\n\u200e\ufffd")
        for text in "alice", "é 日本 नमस्ते", "क्\u200dष", "👨\u200d👩\u200d👧":
            self.assertEqual((safe_line(text), safe_text(text)), (text, text))

    def test_harmless(self) -> None:
        """A harmless event passes uncopied."""
        for event in message("hi\n\tthere", seq=1), welcome(), events.History("@bob", [message("é")], True):
            self.assertIs(safe(event), event)

    def test_numbers(self) -> None:
        """Numbers too large for arithmetic are clamped, others stay."""
        line = json.dumps({**json.loads(wire.encode(message("x"))), "seq": 10**400, "left_ms": -(10**400)})
        event = wire.decode_event(line.encode())
        assert isinstance(event, events.Message)
        self.assertEqual((safe(event).seq, safe(event).left_ms), (2**53, -(2**53)))
        self.assertIs(safe(msgspec.structs.replace(welcome(), new=True)).new, True)
