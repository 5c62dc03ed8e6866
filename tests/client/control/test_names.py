"""Names are compared in one way, wherever the client looks for one."""

import unicodedata

from twisted.trial.unittest import SynchronousTestCase

from irchat.client.control.completion import complete
from irchat.client.control.notifications import mentions
from irchat.client.view.rows import name_style
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests
from tests.client.control.test_controller import ControllerCase
from tests.helpers.client_fakes import message, sent, welcome

_NFD = unicodedata.normalize("NFD", "José")


def _view(*names: str, users: tuple[str, ...] = ()) -> ScreenState:
    view = ScreenState("host")
    view.welcome(welcome())
    for name in names:
        view.chat(name)
    view.list_users(events.Users([*users], [], False))
    return view


class ChooserTests(SynchronousTestCase):
    """Ctrl-K."""

    def listed(self, view: ScreenState, typed: str) -> list[str]:
        """Return the list for a typed filter."""
        view.begin_filter()
        view.filter = typed
        return [chat.name for chat in view.listed()]

    def test_exact_first(self) -> None:
        """The exact name comes first, then names with that prefix, then those that contain it."""
        view = _view("GLOBAL", "*g18", "@g1", "*ag1", "*g1")
        self.assertEqual(self.listed(view, "*g1"), ["*g1", "*g18", "*ag1"])
        self.assertEqual(self.listed(view, "g1"), ["@g1", "*g1", "*g18", "*ag1"])
        self.assertEqual(self.listed(view, " *G1 "), ["*g1", "*g18", "*ag1"])
        self.assertEqual(self.listed(view, "@g1"), ["@g1"])
        self.assertEqual(self.listed(view, "global"), ["GLOBAL"])

    def test_forms(self) -> None:
        """A user is found in any composition, case and width, even without a chat."""
        view = _view("GLOBAL", users=(_NFD, "bob", "Ольга"))
        for typed in "@José", "josé", _NFD.upper(), "＠ｊｏｓé", "sé":
            self.assertEqual(self.listed(view, typed), [f"@{_NFD}"], typed)
        self.assertEqual(self.listed(view, "ОЛЬ"), ["@Ольга"])
        self.assertEqual(self.listed(view, ""), ["GLOBAL"])


class CompletionTests(SynchronousTestCase):
    """Tab."""

    def words(self, view: ScreenState, line: str) -> list[str]:
        """Return the completions by Tab."""
        found = complete(line, view)
        return found.words if found else []

    def test_forms(self) -> None:
        """A decomposed name is completed from composed input, and vice versa."""
        view = _view("*g1", "*g18", users=(_NFD, "Zoé", "bob"))
        self.assertEqual(self.words(view, "@jOSÉ"), [_NFD])
        self.assertEqual(self.words(view, "@Zoe\u0301"), ["Zoé"])
        self.assertEqual(self.words(view, "@ｂ"), ["bob"])
        self.assertEqual(self.words(view, "*g1"), ["g1", "g18"])

    def test_parts(self) -> None:
        """In a place for names, a part matches if no prefix does. In a text, a part never matches."""
        view = _view("*g1", "*xg1", users=("matthew", "thea"))
        self.assertEqual(self.words(view, "@the"), ["thea"])
        self.assertEqual(self.words(view, "@hew"), ["matthew"])
        self.assertEqual(self.words(view, "say hew"), [])


class MentionTests(SynchronousTestCase):
    """The bell."""

    def test_forms(self) -> None:
        """A name is detected in any composition, case and width, as a whole word."""
        for me in "José", _NFD:
            for text in "hi José!", f"hi {_NFD}!", "JOSÉ", "ｊｏｓé":
                self.assertTrue(mentions(text, me), (me, text))
            for text in "Jose", "Joséphine", "José\u0301", "xJosé":
                self.assertFalse(mentions(text, me), (me, text))
        self.assertFalse(mentions("कमला", "कमल"))

    def test_unspaced(self) -> None:
        """In scripts without spaces, neighbouring letters do not hide a name."""
        self.assertTrue(mentions("山田太郎さん、おはよう", "太郎"))
        self.assertTrue(mentions("ขอบคุณครับสมชายมาก", "สมชาย"))

    def test_colour(self) -> None:
        """A name has one colour in all its spellings."""
        self.assertEqual(name_style("José"), name_style(_NFD.upper()))


class TargetTests(ControllerCase):
    """The destination chats of messages."""

    def test_known(self) -> None:
        """A message goes to the existing chat, however its name was typed."""
        self.view.chat("@José")
        for typed, name in (f"@{_NFD.upper()} hi", "@José"), ("@BOB hi", "@bob"):
            self.submit(typed)
            self.server.answer(*(events.History(name, [], False) if isinstance(asked, requests.History)
                                 else sent(chat=name, seq=1) for asked in self.server.asked()
                                 if asked.chat == name))  # fmt: skip
        self.assertEqual([name for name in self.view.chats if name.startswith("@")], ["@bob", "@José"])

    def test_not_known(self) -> None:
        """An unknown name is corrected to the server's spelling, and nothing is lost."""
        self.controller.home()
        self.submit("@ZOE hi")
        self.server.answer(*(events.History("@Zoe", [], False) if isinstance(asked, requests.History)
                             else sent(chat="@Zoe", seq=1) for asked in self.server.asked()))  # fmt: skip
        self.assertEqual([name for name in self.view.chats if name.startswith("@")], ["@bob", "@Zoe"])
        self.assertEqual(self.view.open and self.view.open.name, "@Zoe")

    def test_not_known_and_there(self) -> None:
        """If a message of that user arrived meanwhile, one chat holds everything."""
        self.controller.home()
        self.submit("@ZOE hi")
        self.server.tell(message("hello", chat="@Zoe", sender="Zoe", seq=1))
        page = [message("hello", chat="@Zoe", sender="Zoe", seq=1), message("hi", chat="@Zoe", sender="alice", seq=2)]
        self.server.answer(*(events.History("@Zoe", page, False) if isinstance(asked, requests.History)
                             else sent(chat="@Zoe", seq=2) for asked in self.server.asked()))  # fmt: skip
        self.assertEqual([name for name in self.view.chats if name.startswith("@")], ["@bob", "@Zoe"])
        self.assertIs(self.view.open, self.view.chats["@Zoe"])
        self.assertEqual([item.text for item in self.view.chats["@Zoe"].items], ["hello", "hi"])

    def test_typed_meanwhile(self) -> None:
        """Typed text stays in place when the server's spelling arrives."""
        self.controller.home()
        self.submit("@ZOE hi")
        target = self.controller.target
        target.has_draft = True
        self.server.tell(message("hello", chat="@Zoe", sender="Zoe", seq=1))
        self.assertIs(self.controller.target, target)
        self.assertEqual(target.name, "@Zoe")

    def test_another_chat(self) -> None:
        """A group created again in another spelling is another chat."""
        self.submit("*TEAM hi")
        self.view.chats.of_id("*TEAM", "old")
        self.view.apply(events.Added("*Team", "new", "alice", "bob", "bob"), 0.0)
        self.assertEqual([self.view.chats[name].id for name in ("*TEAM", "*Team")], ["old", "new"])
