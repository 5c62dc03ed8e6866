"""Programs that keep what they see of a chat up to date by events alone, as a client does."""

from typing import Any

from tests.helpers.server import JSONClient, Server

Seen = dict[int, dict[str, Any]]
"""The messages of a chat, by number."""


def as_seen(message: dict[str, Any]) -> dict[str, Any]:
    """Return what a reader sees of a message."""
    marks = {mark["mark"]: set(mark["names"]) for mark in message.get("marks") or ()}
    return {
        "from": message["from"],
        "text": message["text"],
        "edited": message.get("edited"),
        "marks": marks,
        "to": set(message.get("to") or ()),
        "rev": message.get("rev", 0),
    }


class Watcher:
    """One session of a user. It loads chats only when it must: at first, and after a change of what it may see."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.chats: dict[str, Seen] = {}
        self.revs: dict[str, int] = {}
        self.last_rev: dict[str, int] = {}
        self.client: JSONClient | None = None
        self.enter()

    def enter(self) -> None:
        """Sign in."""
        self.client = self.server.json(self.name)

    def leave(self) -> None:
        """Lose the connection."""
        assert self.client is not None
        self.take()
        self.client.leave()
        self.client = None

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the reply to a request. Events before it are applied first."""
        assert self.client is not None
        self.client.ask(kind, ref=1, **fields)
        return self.take()[0]

    def load(self, chat: str) -> None:
        """Replace what is known of a chat by all of it."""
        page = self.ask("history", chat=chat, limit=500)
        self.chats[chat] = {message["seq"]: as_seen(message) for message in page["messages"] if "seq" in message}
        self.revs[chat] = self.last_rev[chat] = page["rev"]

    def drop_all(self) -> None:
        """Forget all chats. What still arrives of them is ignored."""
        self.chats, self.revs, self.last_rev = {}, {}, {}

    def catch_up(self, chat: str, limit: int) -> None:
        """Read the changes and the messages since the connection was lost, in pages of ``limit``."""
        known, more = self.chats[chat], True
        while more:
            page = self.ask("history", chat=chat, after_rev=self.revs[chat], limit=limit)
            for message in page["messages"]:
                held = known.get(message["seq"])
                if held is not None and message["rev"] > held["rev"]:
                    known[message["seq"]] = as_seen(message)
            for seq in page["deleted"]:
                known.pop(seq, None)
            self.revs[chat], more = page["rev"], page["more"]
        more = True
        while more:
            page = self.ask("history", chat=chat, after=max(known, default=0), limit=limit)
            known.update({message["seq"]: as_seen(message) for message in page["messages"] if "seq" in message})
            more = page["more"]

    def take(self) -> list[dict[str, Any]]:
        """Apply the events received so far. Return the replies."""
        assert self.client is not None
        replies = []
        for line in self.client.got():
            if "ref" in line:
                replies.append(line)
            elif line["type"] == "message" and line["chat"] in self.chats and "seq" in line:
                assert line["seq"] > max(self.chats[line["chat"]], default=0), "messages come in rising seq"
                self.chats[line["chat"]][line["seq"]] = as_seen(line)
            elif line["type"] == "amended" and line["chat"] in self.chats:
                self._apply(line)
        return replies

    def _apply(self, change: dict[str, Any]) -> None:
        chat, seq, rev = change["chat"], change["seq"], change["rev"]
        assert rev > self.last_rev[chat], "changes come in rising rev"
        self.last_rev[chat] = rev
        self.revs[chat] = max(self.revs[chat], rev)
        message = self.chats[chat].get(seq)
        assert message is not None or change.get("deleted"), "changes are of messages that were seen"
        if message is None or rev <= message["rev"]:
            return
        message["rev"] = rev
        if change.get("deleted"):
            del self.chats[chat][seq]
        elif "mark" in change:
            names = message["marks"].setdefault(change["mark"], set())
            (names.add if change["on"] else names.discard)(change["by"])
            if not names:
                del message["marks"][change["mark"]]
        else:
            message["text"] = change["text"]
            message["edited"] = change.get("edited")
            if "marks" in change:
                message["marks"] = {mark["mark"]: set(mark["names"]) for mark in change["marks"]}
