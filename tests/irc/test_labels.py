"""Batches and labeled responses."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.irc.irc_lines import parse
from irchat.irc.labels import Batches
from irchat.irc.numerics import ServerLines

_MESSAGE = b"@time=x :bob!u@irchat PRIVMSG #team :hi\r\n"
_PLAIN = b":irchat 331 alice #team :No topic is set\r\n"


class BatchTests(SynchronousTestCase):
    """The batches of one session."""

    def setUp(self) -> None:
        """Begin."""
        self.batches = Batches(ServerLines("irchat"))

    def test_batch(self) -> None:
        """Each line in a batch has its tag, before others. References do not repeat."""
        self.assertEqual(
            self.batches.batch("chathistory", "#team", inner=_MESSAGE + _PLAIN),
            b":irchat BATCH +b1 chathistory #team\r\n@batch=b1;time=x :bob!u@irchat PRIVMSG #team :hi\r\n"
            b"@batch=b1 :irchat 331 alice #team :No topic is set\r\n:irchat BATCH -b1\r\n",
        )
        self.assertEqual(
            self.batches.batch("chathistory", "bob", inner=b"", label="x"),
            b"@label=x :irchat BATCH +b2 chathistory bob\r\n:irchat BATCH -b2\r\n",
        )

    def test_nested(self) -> None:
        """The lines of a batch in a batch keep its tag."""
        inner = self.batches.batch("draft/multiline", "#team", inner=_MESSAGE)
        self.assertEqual(
            self.batches.batch("chathistory", "#team", inner=inner),
            b":irchat BATCH +b2 chathistory #team\r\n@batch=b2 :irchat BATCH +b1 draft/multiline #team\r\n"
            b"@batch=b1;time=x :bob!u@irchat PRIVMSG #team :hi\r\n@batch=b2 :irchat BATCH -b1\r\n:irchat BATCH -b2\r\n",
        )

    def test_labels(self) -> None:
        """A label is on the only line, on one batch, on a batch around several lines, or on ACK."""
        self.assertEqual(self.batches.labelled(None, _PLAIN), _PLAIN)
        self.assertEqual(self.batches.labelled(None, b""), b"")
        self.assertEqual(self.batches.labelled("a;b", b""), b"@label=a\\:b :irchat ACK\r\n")
        self.assertEqual(self.batches.labelled("x", _PLAIN), b"@label=x " + _PLAIN)
        self.assertEqual(self.batches.labelled("x", _MESSAGE), b"@label=x;" + _MESSAGE[1:])
        one = self.batches.batch("chathistory", "#team", inner=_MESSAGE + _PLAIN)
        self.assertEqual(self.batches.labelled("x", one), b"@label=x " + one)
        multiline = b"@msgid=1 :a!u@h BATCH +z draft/multiline b\r\n@batch=z :a!u@h PRIVMSG b :x\r\n:a!u@h BATCH -z\r\n"
        self.assertEqual(self.batches.labelled("x", multiline), b"@label=x;" + multiline[1:])
        for several in (_PLAIN + _PLAIN, one + _PLAIN, _PLAIN + one, one + one.replace(b"b1", b"b9")):
            answer = self.batches.labelled("x", several)
            self.assertTrue(answer.startswith(b"@label=x :irchat BATCH +b"), several)
            self.assertIn(b" labeled-response\r\n", answer.split(b"\n")[0] + b"\n")
            self.assertEqual(answer.count(b"label="), 1)

    def test_texts_like_batches(self) -> None:
        """A text that looks like the end of a batch does not end it."""
        one = self.batches.batch("chathistory", "#team", inner=b":bob!u@irchat PRIVMSG #team :x BATCH -b1\r\n")
        answer = self.batches.labelled("x", one)
        lines = [parse(line) for line in answer.split(b"\r\n") if line]
        self.assertEqual(sum(line is not None and line.label == "x" for line in lines), 1)
        text = b":bob!u@irchat PRIVMSG a :BATCH +b1\r\n:irchat BATCH -b1\r\n"
        self.assertIn(b"labeled-response", self.batches.labelled("x", text))
