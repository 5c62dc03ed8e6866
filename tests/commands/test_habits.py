"""Commands of other chats: which lines are recognised, and the correct form shown for them."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.commands import AS_MESSAGE, REGISTRY
from irchat.protocol import requests
from irchat.protocol.errors import Code, Refusal

FORMS = {
    "/msg bob secret": "@bob secret",
    " /msg bob  two  words ": "@bob two  words",
    "/MSG @bob\tsecret": "@bob secret",
    "/msg bob a\nb": "@bob a\nb",
    "/msg\nbob secret": "@bob secret",
    "/tell bob": "@bob <message>",
    "/msg": "@ <user> <message>",
    "/msg bob,carol hi": "@ <user> <message>",
    "/msg #team hi": "*team hi",
    "/msg #global hi": "hi",
    "/msg #global @hi": "\\@hi",
    "/msg NickServ identify secret": "!help",
    "/query bob hi": "@bob hi",
    "/query bob": "ls @bob",
    "/quit see you": "exit",
    "/exit": "exit",
    "/join #team": "*<user1>,<user2>,...<usern> -> team",
    "/join team": "*<user1>,<user2>,...<usern> -> team",
    "/join #a,#b": "*<user1>,<user2>,...<usern> -> <group_name>",
    "/join": "*<user1>,<user2>,...<usern> -> <group_name>",
    "/join #global": "ls GLOBAL",
    "/part #team bye": "-<your_name> team",
    "/me": "/me <message>",
    "/ME waves": "/me waves",
    "/nick alicia": "!help",
    "/who": "@",
    "/who bob": "@",
    "/who #team": "+team",
    "/names team": "+team",
    "/names": "@",
    "/invite bob #team": "+bob team",
    "/invite bob": "+bob <group_name>",
    "/kick #team bob for this": "-bob team",
    "/kick bob carol": "-<user> <group_name>",
    "/ignore bob": "~bob",
    "/ignore": "~",
    "/help msg": "!help",
    "/list": "ls",
    "/ls @bob": "ls @bob",
    "/search lunch": "?lunch",
    "/say hello": "hello",
    "/say @bob hi": "\\@bob hi",
    "/say ls @bob": "\\ls @bob",
    "/say exit": "\\exit",
    "/say quit": "\\quit",
    "/say exit strategy": "exit strategy",
    "/say /quit": "\\/quit",
    "/say": "<message>",
    "/password hunter2222": "!password",
    "/topic cats": "!help",
    "/identify secret": "!help",
    "/set_x on": "!help",
    "/ьып bob secret": "!help",
    "quit": "exit",
    "Quit": "exit",
    " EXIT ": "exit",
    ":q": "exit",
    "help": "!help",
    "HELP": "!help",
    "LS": "ls",
}
MESSAGES = [
    "/me waves", "/etc/passwd is broken", "/ hi", "/", "//msg bob", "/o/", "/1", "/file.txt is gone", "exit", "ls",
    "help me", "quit it", "Hello /msg", "\\/msg bob secret", "@bob /quit", "",
]  # fmt: skip


class HabitTests(SynchronousTestCase):
    """The correct forms, derived from the commands' declarations."""

    def test_forms(self) -> None:
        """Each line of another chat has its form here."""
        self.assertEqual({line: REGISTRY.right_form(line) for line in FORMS}, FORMS)

    def test_messages(self) -> None:
        """Other lines that begin with a slash, and correct lines, have none."""
        self.assertEqual([line for line in MESSAGES if REGISTRY.right_form(line) is not None], [])

    def test_the_refusal_has_the_form_and_the_backslash(self) -> None:
        """A refused line is answered with both ways out."""
        refusal = self.assertRaises(Refusal, REGISTRY.read, "/msg bob secret")
        self.assertEqual(refusal.code, Code.BAD_REQUEST)
        self.assertIn(AS_MESSAGE, refusal.text)
        self.assertTrue(refusal.text.endswith(": @bob secret"))

    @given(st.text())
    def test_the_form_of_a_message_is_a_message_to_the_same(self, text: str) -> None:
        """Whatever follows /msg bob, the form is parsed as a message to bob alone, or the line is refused."""
        form = REGISTRY.right_form(f"/msg bob x{text}")
        assert form is not None
        _, request = REGISTRY.read(form)
        self.assertEqual(request, requests.Send(chat="@bob", text=f"x{text}".strip()))

    @given(st.text(), st.sampled_from(["/msg", "/join", "/who", "/invite", "/kick", "/part", "/ignore", "/x"]))
    def test_every_line_has_an_answer(self, rest: str, word: str) -> None:
        """No line causes an error, and a form is never empty."""
        form = REGISTRY.right_form(f"{word} {rest}")
        self.assertTrue(form is None or form.strip())
