"""Sending: audiences, storage, repeated nonces, and timed messages without a trace."""

from pathlib import Path

from irchat.interfaces.bus import Publication, StoredPlace, TimedPlace
from irchat.interfaces.stored import GLOBAL
from irchat.protocol import events
from irchat.protocol.errors import Code, unavailable
from irchat.protocol.rules import NONCE_SECONDS, TEXT_LENGTH, TIMED_MAX
from tests.helpers.chat import BEGIN_MS, WorldTestCase

_AT = "2026-11-22T14:00:00.000Z"


class StoredMessageTests(WorldTestCase):
    """Stored messages. Carol is offline."""

    away = ("carol",)

    def test_global(self) -> None:
        """A message to everyone is one publication for all but the sending session, whose reply agrees with it."""
        session, other = 1, 2
        sent = self.done(self.world.send("alice", "GLOBAL", "Hello\x1b", origin=session))
        self.assertEqual(sent, events.Sent(chat="GLOBAL", at=_AT, seq=1))
        told = [events.Message(chat="GLOBAL", sender="alice", at=_AT, text="Hello\u241b", seq=1)]
        self.assertEqual(self.world.told("bob"), told)
        self.assertEqual((self.world.told("alice", session), self.world.told("alice", other)), ([], told))
        (publication,) = self.world.published
        self.assertEqual(publication.place, StoredPlace(GLOBAL, 1))
        self.assertEqual(self.said("carol", "GLOBAL"), ["Hello\u241b"])

    def test_private(self) -> None:
        """A private message reaches the two, named after each other, and waits for an offline user."""
        session = 1
        self.done(self.world.send("alice", "@bob", "psst", origin=session))
        self.assertEqual([event.chat for event in self.world.told("bob")], ["@alice"])
        self.assertEqual([event.chat for event in self.world.told("alice")], ["@bob"])
        self.assertEqual((self.world.told("alice", session), self.world.told("carol")), ([], []))
        self.assertEqual({publication.place for publication in self.world.published}, {StoredPlace((1, 2), 1)})
        self.done(self.world.send("alice", "@carol", "later"))
        self.assertEqual((self.said("carol", "@alice"), self.unread("carol")), (["later"], {"@alice": 1}))

    def test_group(self) -> None:
        """A message to a group reaches only its members."""
        self.group("team", "alice", "bob")
        self.done(self.world.send("bob", "team", "us"))
        self.assertEqual((self.world.texts("alice"), self.world.texts("carol")), (["us"], []))
        self.assertEqual(self.world.told("alice")[-1].chat, "*team")
        self.refused(Code.NO_SUCH_GROUP, self.world.send, "carol", "*team")

    def test_texts(self) -> None:
        """An invalid text is refused and not stored."""
        self.refused(Code.EMPTY_TEXT, self.world.send, "alice", "GLOBAL", " \n\t")
        self.refused(Code.TEXT_TOO_LONG, self.world.send, "alice", "GLOBAL", "x" * (TEXT_LENGTH + 1))
        self.done(self.world.send("alice", "GLOBAL", "x" * TEXT_LENGTH))
        self.assertEqual(len(self.world.published), 1)

    def test_chats(self) -> None:
        """An invalid chat is refused according to its kind."""
        for code, chat in (
            (Code.NO_SUCH_USER, "@dave"),
            (Code.NO_SUCH_GROUP, "*dave"),
            (Code.NO_SUCH_CHAT, "dave"),
            (Code.YOURSELF, "@alice"),
        ):
            self.refused(code, self.world.send, "alice", chat)
            self.refused(code, self.world.send, "alice", chat, expires_in=5)
            self.refused(code, self.world.send, "alice", chat, expires_in=5, nonce="n")

    def test_order(self) -> None:
        """Concurrent messages are published in the order of their seqs, which is the order of the requests."""
        self.world.store.holding = True
        for number in range(9):
            self.world.send(("alice", "bob")[number % 2], "GLOBAL", str(number))
        self.assertEqual(self.world.published, [])
        for _ in range(2):
            self.world.store.let_through()
        self.assertEqual(
            [(event.seq, event.text) for event in self.world.told("carol")],
            [(number + 1, str(number)) for number in range(9)],
        )
        self.assertEqual([len(commit) for commit in self.world.store.commits], [1, 8])

    def test_nothing_before_the_commit(self) -> None:
        """Nobody is notified or answered before the disk has the message."""
        self.world.store.holding = True
        sent = self.world.send("alice", "GLOBAL")
        self.assertEqual(self.world.published, [])
        self.assertNoResult(sent)
        self.world.store.let_through()
        self.assertEqual((self.done(sent).seq, len(self.world.published)), (1, 1))

    def test_unavailable(self) -> None:
        """If the disk fails, the sender is refused, nobody is notified, and the next message gets the seq."""
        self.world.store.holding = True
        failing = self.world.send("alice", "GLOBAL", "lost")
        self.world.store.fail()
        self.refused(Code.UNAVAILABLE, lambda: failing)
        self.world.store.holding = False
        self.assertEqual(self.done(self.world.send("bob", "GLOBAL", "kept")).seq, 1)
        self.assertEqual(self.world.texts("carol"), ["kept"])

    def test_blocks(self) -> None:
        """A block refuses private messages in both directions, and hides both users in GLOBAL and groups."""
        self.group("team", "alice", "bob", "carol")
        self.block("bob", "alice")
        for sender, other in (("alice", "bob"), ("bob", "alice")):
            self.refused(Code.BLOCKED, self.world.send, sender, f"@{other}")
            self.refused(Code.BLOCKED, self.world.send, sender, f"@{other}", expires_in=5)
            for expires_in in (None, 5):
                self.done(self.world.send(sender, "GLOBAL", f"{sender} g", expires_in=expires_in))
                self.done(self.world.send(sender, "*team", f"{sender} t", expires_in=expires_in))
        self.assertEqual(self.world.texts("alice"), ["alice g", "alice t"] * 2)
        self.assertEqual(self.world.texts("bob"), ["bob g", "bob t"] * 2)
        self.assertEqual(len(self.world.texts("carol")), 8)


class NonceTests(WorldTestCase):
    """Nonces: the reply to a repeated send."""

    def test_repetition(self) -> None:
        """A repeated send returns the first reply, and stores and publishes nothing, also from another session."""
        first = self.done(self.world.send("alice", "@bob", "once", nonce="n", origin=1))
        self.world.pass_time(60)
        again = self.done(self.world.send("alice", "@bob", "once", nonce="n", origin=1))
        self.assertEqual(again, first)
        self.assertEqual((self.said("bob", "@alice"), self.world.texts("bob")), (["once"], ["once"]))

    def test_in_one_commit(self) -> None:
        """Two sends with the same nonce in one commit are one message."""
        self.world.store.holding = True
        self.world.send("bob", "GLOBAL", "first")
        sends = [self.world.send("alice", "GLOBAL", "once", nonce="n") for _ in range(2)]
        self.world.store.let_through()
        self.world.store.let_through()
        self.assertEqual([self.done(sent).seq for sent in sends], [2, 2])
        self.assertEqual(self.world.texts("carol"), ["first", "once"])

    def test_after_restart(self) -> None:
        """The nonce of a stored message survives a restart."""
        first = self.done(self.world.send("alice", "GLOBAL", nonce="n"))
        self.world.restart()
        self.assertEqual(self.done(self.world.send("alice", "GLOBAL", nonce="n")), first)
        self.assertEqual(self.world.published[1:], [])

    def test_ten_minutes(self) -> None:
        """After ten minutes a nonce is new."""
        self.done(self.world.send("alice", "GLOBAL", nonce="n"))
        self.done(self.world.send("alice", "GLOBAL", nonce="t", expires_in=2))
        self.world.pass_time(NONCE_SECONDS)
        self.assertEqual(self.done(self.world.send("alice", "GLOBAL", nonce="n")).seq, 1)
        self.world.pass_time(1)
        self.assertEqual(self.done(self.world.send("alice", "GLOBAL", nonce="n")).seq, 2)
        self.assertEqual(self.done(self.world.send("alice", "GLOBAL", nonce="t")).seq, 3)

    def test_refused(self) -> None:
        """A refused send does not use up its nonce, for any reason."""
        self.refused(Code.NO_SUCH_USER, self.world.send, "alice", "@dave", nonce="n")
        self.refused(Code.EMPTY_TEXT, self.world.send, "alice", "GLOBAL", " ", nonce="n")
        self.world.store.holding = True
        failing = [
            self.world.send("alice", "GLOBAL", nonce="n"),
            self.world.send("alice", "@bob", nonce="m", expires_in=5),
        ]
        self.world.store.fail()
        self.world.store.fail()
        for sent in failing:
            self.refused(Code.UNAVAILABLE, lambda sent=sent: sent)
        self.world.store.holding = False
        self.assertEqual(self.done(self.world.send("alice", "GLOBAL", nonce="n")).seq, 1)
        self.assertEqual(self.done(self.world.send("alice", "@bob", nonce="m", expires_in=5)).reached, 1)

    def test_not_allowed_any_more(self) -> None:
        """A repeated send returns the first reply, even if it would be refused now."""
        group = self.group("team", "bob", "alice")
        first = self.done(self.world.send("alice", "@bob", nonce="p"))
        second = self.done(self.world.send("alice", group.group, nonce="g"))
        third = self.done(self.world.send("alice", "@bob", nonce="t", expires_in=5))
        self.done(self.world.chat.groups.remove(self.world["bob"], "team", "alice", None))
        self.block("bob", "alice")
        count = len(self.world.published)
        self.assertEqual(self.done(self.world.send("alice", "@bob", nonce="p")), first)
        self.assertEqual(self.done(self.world.send("alice", "@bob", nonce="p", expires_in=5)), first)
        self.assertEqual(self.done(self.world.send("alice", "*team", nonce="g")), second)
        self.assertEqual(self.done(self.world.send("alice", "@bob", nonce="t", expires_in=5)), third)
        self.refused(Code.BLOCKED, self.world.send, "alice", "@bob", nonce="new")
        self.refused(Code.BLOCKED, self.world.send, "alice", "@bob", nonce="new", expires_in=5)
        self.assertEqual(len(self.world.published), count)

    def test_timed(self) -> None:
        """A repeated timed send returns the first reply with the remaining time, even after its end."""
        first = self.done(self.world.send("alice", "GLOBAL", nonce="n", expires_in=5))
        self.world.pass_time(2)
        again = self.done(self.world.send("alice", "GLOBAL", nonce="n", expires_in=5))
        self.assertEqual(
            (again.id, again.expires_at, again.left_ms, again.reached), (first.id, first.expires_at, 3_000, 2)
        )
        self.world.pass_time(60)
        over = self.done(self.world.send("alice", "GLOBAL", nonce="n", expires_in=5))
        self.assertEqual((over.id, over.left_ms), (first.id, 0))
        self.assertEqual(self.world.texts("bob"), ["hi"])

    def test_timed_and_stored(self) -> None:
        """Stored and timed messages share their nonces."""
        timed = self.done(self.world.send("alice", "GLOBAL", nonce="t", expires_in=5))
        stored = self.done(self.world.send("alice", "GLOBAL", nonce="s"))
        self.assertEqual(self.done(self.world.send("alice", "GLOBAL", nonce="t")).id, timed.id)
        self.assertEqual(self.done(self.world.send("alice", "GLOBAL", nonce="s", expires_in=5)), stored)
        self.assertEqual(self.done(self.world.send("bob", "GLOBAL", nonce="t")).seq, 2)

    def test_two_timed_in_one_commit(self) -> None:
        """Two timed sends with the same nonce that wait together are one."""
        self.world.store.holding = True
        self.world.send("bob", "GLOBAL", "first")
        sends = [self.world.send("alice", "GLOBAL", "once", nonce="n", expires_in=9) for _ in range(2)]
        self.world.store.let_through()
        self.world.store.let_through()
        self.assertEqual(len({self.done(sent).id for sent in sends}), 1)
        self.assertEqual(self.world.texts("carol"), ["first", "once"])

    def test_most_timed(self) -> None:
        """The number of a user's live timed messages is limited. One more is refused, unless it is a repeat."""
        self.world.chat.limits.timed = 2
        for chat, nonce, seconds in (("GLOBAL", "a", 5), ("@bob", "b", 9)):
            self.done(self.world.send("alice", chat, nonce=nonce, expires_in=seconds))
        for nonce in ("c", None):
            self.refused(Code.TOO_MANY, self.world.send, "alice", "GLOBAL", nonce=nonce, expires_in=5)
        self.done(self.world.send("alice", "GLOBAL", nonce="a", expires_in=5))
        self.done(self.world.send("alice", "GLOBAL", nonce="s"))
        self.done(self.world.send("alice", "GLOBAL", nonce="s", expires_in=5))
        self.done(self.world.send("bob", "GLOBAL", expires_in=5))
        self.world.pass_time(5)
        self.done(self.world.send("alice", "GLOBAL", nonce="c", expires_in=5))
        self.refused(Code.TOO_MANY, self.world.send, "alice", "GLOBAL", expires_in=5)
        self.world.chat.limits.timed = 0
        self.done(self.world.send("alice", "GLOBAL", expires_in=5))

    def test_old_timed_nonces_go(self) -> None:
        """The nonces of timed messages are forgotten after ten minutes."""
        for number in range(5):
            self.done(self.world.send("alice", "GLOBAL", nonce=str(number), expires_in=1))
        self.world.pass_time(NONCE_SECONDS - 1)
        self.done(self.world.send("alice", "GLOBAL", nonce="last", expires_in=1))
        self.assertEqual(len(self.world.chat.messages.timed_nonces._sent), 6)
        self.world.pass_time(1)
        self.done(self.world.send("alice", "GLOBAL", expires_in=1))
        self.assertEqual(len(self.world.chat.messages.timed_nonces._sent), 1)


class TimedSendTests(WorldTestCase):
    """Timed messages in transit. Carol is offline."""

    away = ("carol",)

    def test_sent(self) -> None:
        """The sender learns how many of the others received it at once, the others its remaining time."""
        session = 1
        sent = self.done(self.world.send("alice", "GLOBAL", "psst", expires_in=30, origin=session))
        self.assertEqual((sent.chat, sent.at, sent.expires_at), ("GLOBAL", _AT, "2026-11-22T14:00:30.000Z"))
        self.assertEqual((sent.seq, sent.left_ms, sent.reached, sent.of), (None, 30_000, 1, 2))
        expected = events.Message(
            chat="GLOBAL", sender="alice", at=_AT, text="psst", id=sent.id, expires_at=sent.expires_at, left_ms=30_000
        )
        self.assertEqual((self.world.told("bob"), self.world.told("alice", session)), ([expected], []))

    def test_of_whom(self) -> None:
        """Users who cannot see it count neither among the receivers nor among the possible ones."""
        self.group("team", "alice", "bob", "carol")
        counts = []
        for _ in range(2):
            for chat in ("GLOBAL", "*team"):
                sent = self.done(self.world.send("alice", chat, expires_in=5))
                counts.append((sent.reached, sent.of))
            self.block("bob", "alice")
        self.block("alice", "carol")
        self.assertEqual(counts, [(1, 2), (1, 2), (0, 1), (0, 1)])
        self.assertEqual(self.done(self.world.send("alice", "GLOBAL", expires_in=5)).of, 0)
        self.assertEqual(self.done(self.world.send("bob", "@carol", expires_in=5)).reached, 0)
        self.assertEqual(self.done(self.world.send("carol", "@bob", expires_in=5)).reached, 1)

    def test_times(self) -> None:
        """Its duration is 1 second to a week."""
        for seconds in (0, -1, TIMED_MAX + 1):
            self.refused(Code.BAD_TIME, self.world.send, "alice", "GLOBAL", expires_in=seconds)
        for seconds in (1, TIMED_MAX):
            self.done(self.world.send("alice", "GLOBAL", expires_in=seconds))

    def test_blind_sessions(self) -> None:
        """A user whose sessions show no timed messages is not reached, but counts among the others."""
        self.world.enter("carol")
        self.world.leave("bob")
        self.world.chat.presence.enter(self.world["bob"].id, 7, shows_timed=False)
        counts = [self.done(self.world.send("alice", chat, expires_in=5)) for chat in ("GLOBAL", "@bob")]
        self.assertEqual([(sent.reached, sent.of) for sent in counts], [(1, 2), (0, 1)])
        self.world.enter("bob", 8)
        self.assertEqual(self.done(self.world.send("alice", "@bob", expires_in=5)).reached, 1)

    def test_erased(self) -> None:
        """At its end all receivers are notified, by the chat's name on their side, and nobody else."""
        sent = [self.done(self.world.send("alice", chat, expires_in=5)) for chat in ("GLOBAL", "@bob", "@carol")]
        self.world.published.clear()
        self.world.pass_time(5)
        of_bob, of_alice = self.world.told("bob"), self.world.told("alice")
        self.assertEqual(
            of_bob, [events.Erased(chat="GLOBAL", id=sent[0].id), events.Erased(chat="@alice", id=sent[1].id)]
        )
        self.assertEqual(of_alice, [
            events.Erased(chat="GLOBAL", id=sent[0].id), events.Erased(chat="@bob", id=sent[1].id),
            events.Erased(chat="@carol", id=sent[2].id),
        ])  # fmt: skip
        self.assertEqual(self.world.told("carol"), [])

    def test_erased_for_the_removed(self) -> None:
        """Receivers who were removed or blocked since are notified of its end too, and so are later receivers."""
        self.group("team", "alice", "bob", "carol")
        self.done(self.world.send("alice", "*team", expires_in=5))
        self.done(self.world.chat.groups.remove(self.world["alice"], "team", "bob", None))
        self.block("bob", "alice")
        self.assertEqual(self.said("carol", "*team"), ["hi"])
        self.world.published.clear()
        self.world.pass_time(5)
        self.assertEqual([len(self.world.told(name)) for name in ("alice", "bob", "carol")], [1, 1, 1])

    def test_order_among_others(self) -> None:
        """It keeps its place among the messages that wait for the disk, and its time runs from acceptance."""
        self.world.store.holding = True
        sends = [self.world.send("alice", "GLOBAL", "1"), self.world.send("alice", "GLOBAL", "2", expires_in=10)]
        self.world.send("bob", "GLOBAL", "3")
        self.world.pass_time(4)
        for _ in range(3):
            self.world.store.let_through()
        self.assertEqual(self.world.texts("bob"), ["1", "2", "3"])
        self.assertEqual(self.done(sends[1]).left_ms, 6_000)

    def test_failing_group(self) -> None:
        """A failing disk does not affect a timed message."""
        self.world.store.holding = True
        first = self.world.send("bob", "GLOBAL", "stored")
        timed = self.world.send("alice", "GLOBAL", "timed", expires_in=10)
        second = self.world.send("bob", "GLOBAL", "stored")
        self.world.store.fail(unavailable())
        self.world.store.fail(unavailable())
        for sent in (first, second):
            self.refused(Code.UNAVAILABLE, lambda sent=sent: sent)
        self.assertEqual((self.done(timed).left_ms, self.world.texts("bob")), (10_000, ["timed"]))

    def test_over_while_it_waited(self) -> None:
        """If it expires before earlier messages are on the disk, nobody receives it and the sender is refused."""
        self.world.store.holding = True
        self.world.send("bob", "GLOBAL", "stored")
        sent = self.world.send("alice", "GLOBAL", "timed", expires_in=3)
        self.world.pass_time(3)
        self.world.store.let_through()
        answer = self.done(sent)
        self.assertEqual((answer.left_ms, answer.reached, answer.of), (0, 0, 2))
        self.world.store.holding = False
        self.assertEqual((self.world.texts("bob"), self.said("bob", "GLOBAL")), (["stored"], ["stored"]))
        self.world.pass_time(1)
        self.assertEqual([type(event) for event in self.world.told("bob")], [events.Message])

    def test_no_trace(self) -> None:
        """No file ever contains anything of a timed message: no text, nonce, id, chat or changed byte."""
        self.done(self.world.send("alice", "GLOBAL", "stored words", nonce="stored-nonce"))
        self.assertEqual(self.found("bob", "words"), ["stored words"])  # which brings it into the search index
        before = self.files()
        self.assertIn(b"stored words", b"".join(before.values()))
        self.assertIn(b"stored-nonce", b"".join(before.values()))
        self.world.pass_time(100)
        for chat in ("GLOBAL", "@bob", "@carol"):
            sent = self.done(self.world.send("alice", chat, "timed words", expires_in=5, nonce=f"timed-nonce {chat}"))
            self.assertNotIn(str(sent.id).encode(), b"".join(self.files().values()))
        self.assertEqual(self.said("bob", "@alice"), ["timed words"])
        self.assertEqual(self.found("bob", "words"), ["stored words"])
        self.assertEqual(self.files(), before)
        self.world.pass_time(5)
        self.assertEqual(self.files(), before)
        states = self.done(self.world.store.store.chats(self.world["bob"].id, ()))
        self.assertEqual([(state.chat, state.last_at) for state in states], [(GLOBAL, BEGIN_MS)])
        self.assertEqual(self.done(self.world.send("alice", "@bob")).seq, 1)

    def test_restart(self) -> None:
        """A restart of the server erases it."""
        self.done(self.world.send("alice", "GLOBAL", expires_in=500))
        self.world.restart()
        self.assertEqual((self.said("bob", "GLOBAL"), self.unread("bob")), ([], {}))

    def files(self) -> dict[Path, bytes]:
        """Return all files of the store except the index of its journal, which holds only page numbers."""
        return {path: path.read_bytes() for path in self.world.folder.iterdir() if path.name != "irchat.db-shm"}

    def test_publications_know_their_place(self) -> None:
        """Each timed publication has the chat and an increasing position, for readers that fall behind."""
        for chat in ("GLOBAL", "@bob"):
            self.done(self.world.send("alice", chat, expires_in=9))
        places = [publication.place for publication in self.world.published]
        self.assertEqual(places, [TimedPlace(GLOBAL, 1), TimedPlace((1, 2), 2), TimedPlace((1, 2), 2)])
        self.assertIsInstance(self.world.published[0], Publication)
