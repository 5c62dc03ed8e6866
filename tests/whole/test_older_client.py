"""A client from before messages could be changed, beside newer ones in the same chats."""

from typing import Any

import msgspec

from tests.helpers.server import JSONClient, ServerTestCase

# Every type and field that a client of version 0.1 knows. It ignores other fields, and lines of other types.
_TYPES: dict[str, dict[str, Any]] = {
    "welcome": {
        "name": str, "new": bool, "token": str, "version": int, "limits": dict[str, int], "online": list[str],
        "online_count": int, "unread": list[dict[str, Any]],
    },
    "sent": {"chat": str, "at": str, "seq": int},
    "message": {"chat": str, "from": str, "at": str, "text": str, "seq": int},
    "history": {"chat": str, "messages": list[dict[str, Any]], "more": bool},
    "found": {"messages": list[dict[str, Any]], "more": bool},
    "chats": {"chats": list[dict[str, Any]]},
    "presence": {"online": list[str], "offline": list[str]},
}  # fmt: skip
_ENTRY = {"chat": str, "id": str, "unread": int, "last_seq": int}
_NESTED = {"messages": _TYPES["message"], "chats": _ENTRY, "unread": _ENTRY}


class _Older:
    """A client that takes from each line only what it knows, and checks the types of that."""

    def __init__(self, client: JSONClient) -> None:
        self._client = client

    def ask(self, kind: str, **fields: Any) -> None:
        """Send a request."""
        self._client.ask(kind, **fields)

    def got(self) -> list[dict[str, Any]]:
        """Return what it understands of the lines received."""
        return [_known(line, _TYPES[line["type"]]) for line in self._client.got() if line["type"] in _TYPES]


def _known(line: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    known = {name: msgspec.convert(line[name], kind, strict=True) for name, kind in fields.items()}
    for name, nested in _NESTED.items():
        if fields.get(name) == list[dict[str, Any]]:
            for entry in known[name]:
                _known(entry, nested)
    return known


class OlderClientTests(ServerTestCase):
    """Bob has an older client, alice a newer one."""

    def test_whole(self) -> None:
        """He gets every message once, reads the present texts, and is neither confused nor stopped by changes."""
        server = self.make_server()
        alice = server.json("alice")
        bob = _Older(server.json("bob"))
        bob.got()
        for text in "@bob one", "two", "three":
            alice.ask("send", chat="GLOBAL", text=text)
        bob.ask("send", chat="GLOBAL", text="four")
        seqs = [line["seq"] for line in bob.got() if "seq" in line]
        alice.ask("amend", chat="GLOBAL", seq=2, text="new two")
        alice.ask("amend", chat="GLOBAL", seq=3, delete=True)
        alice.ask("mark", chat="GLOBAL", seq=4, mark="ok")
        self.assertEqual((seqs, bob.got()), ([1, 2, 3, 4], []))
        alice.ask("send", chat="GLOBAL", text="#4 five")
        self.assertEqual([line["text"] for line in bob.got()], ["#4 five"])
        bob.ask("history", chat="GLOBAL")
        (page,) = bob.got()
        self.assertEqual([message["text"] for message in page["messages"]], ["@bob one", "new two", "four", "#4 five"])
        bob.ask("history", chat="GLOBAL", after=2)
        self.assertEqual([message["seq"] for message in bob.got()[0]["messages"]], [4, 5])
        bob.ask("search", words="new")
        self.assertEqual(len(bob.got()[0]["messages"]), 1)
        bob.ask("chats")
        self.assertEqual(bob.got()[0]["chats"][0]["last_seq"], 5)
        again = _Older(server.json("bob"))
        again.ask("ping")
        again.ask("line", line="#4 six")
        self.assertEqual([line["seq"] for line in again.got()], [6])
