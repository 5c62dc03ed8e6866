"""Capabilities (IRCv3 capability-negotiation): those that the server offers, and those of one session."""

from collections.abc import Iterator, Mapping
from functools import cache

from irchat.irc.numerics import Numeric, ServerLines

_PLAIN = (
    "account-notify", "account-tag", "away-notify", "batch", "cap-notify", "draft/chathistory", "draft/event-playback",
    "draft/extended-isupport", "draft/message-redaction", "draft/pre-away", "draft/read-marker", "echo-message",
    "extended-join", "extended-monitor", "invite-notify", "labeled-response", "message-tags", "multi-prefix",
    "no-implicit-names", "server-time", "setname", "soju.im/search", "standard-replies", "userhost-in-names",
)  # fmt: skip
_VALUES = {"draft/multiline": "max-bytes=16000,max-lines=100", "sasl": "PLAIN"}
_REGISTRATION = {"draft/account-registration": "before-connect"}

# Room for the prefix and the nick in a line of 510 bytes.
_LIST_BYTES = 400
_LIST_MOST = 100


@cache
def offered(*, registration_open: bool) -> dict[str, str]:
    """Return the capabilities of a server, in order, each with its value or ''. All sessions share the dictionary."""
    caps = dict.fromkeys(_PLAIN, "") | _VALUES | (_REGISTRATION if registration_open else {})
    return dict(sorted(caps.items()))


class Capabilities:
    """The negotiation of one session. ``enabled``: the capabilities that the client has taken."""

    def __init__(self, offered: Mapping[str, str], lines: ServerLines) -> None:
        self.enabled: set[str] = set()
        self.is_open = False
        """Whether a negotiation was begun and not ended: registration waits for its end."""
        self._offered = offered
        self._lines = lines
        self._version = 301

    def __contains__(self, name: str) -> bool:
        return name in self.enabled

    def handle(self, nick: str, params: list[str], *, registered: bool) -> bytes:
        """Answer a CAP command with ``params``. ``nick``: that of the session, or ``*``."""
        subcommand = params[0].upper() if params else ""
        argument = params[1] if len(params) > 1 else ""
        if subcommand == "LS":
            self.is_open |= not registered
            return self._list(nick, argument)
        if subcommand == "LIST":
            return self._reply(nick, "LIST", sorted(self.enabled))
        if subcommand == "REQ":
            self.is_open |= not registered
            return self._request(nick, argument)
        if subcommand == "END":
            self.is_open = False
            return b""
        word = params[0] if params else "*"
        return self._lines.numeric(Numeric.ERR_INVALIDCAPCMD, nick, word)

    def offer(self, nick: str, offered: Mapping[str, str]) -> bytes:
        """Change what the server offers. Return CAP NEW and CAP DEL for a client that wants to know."""
        added = [f"{name}={value}" if value else name for name, value in offered.items() if name not in self._offered]
        removed = [name for name in self._offered if name not in offered]
        self._offered = offered
        wants_changes = "cap-notify" in self.enabled
        self.enabled.difference_update(removed)
        if not wants_changes:
            return b""
        changes = (("NEW", added), ("DEL", removed))
        return b"".join(self._reply(nick, subcommand, names) for subcommand, names in changes if names)

    def _list(self, nick: str, version: str) -> bytes:
        if version.isascii() and version.isdecimal():
            self._version = max(self._version, int(version[:9]))
        if self._version < 302:
            return self._reply(nick, "LS", self._offered)
        self.enabled.add("cap-notify")
        return self._reply(nick, "LS", (f"{name}={value}" if value else name for name, value in self._offered.items()))

    def _request(self, nick: str, argument: str) -> bytes:
        names = argument.split()
        wanted: set[str] = set()
        unwanted: set[str] = set()
        for name in names:
            into, out_of = (unwanted, wanted) if name.startswith("-") else (wanted, unwanted)
            bare = name.removeprefix("-")
            into.add(bare)
            out_of.discard(bare)
        # A client of version 302 has cap-notify always.
        kept = {"cap-notify"} if self._version >= 302 else set()
        if len(names) > _LIST_MOST or not (wanted | unwanted) <= self._offered.keys() or unwanted & kept:
            return self._lines.line("CAP", nick, "NAK", text=argument)
        self.enabled = (self.enabled | wanted) - unwanted
        return self._lines.line("CAP", nick, "ACK", text=argument)

    def _reply(self, nick: str, subcommand: str, names: "Mapping[str, str] | list[str] | Iterator[str]") -> bytes:
        """Return a list in lines that are not too long. All but the last have a ``*``, if the client knows it."""
        runs: list[list[str]] = [[]]
        size = 0
        for name in names:
            if size + len(name) + 1 > _LIST_BYTES and self._version >= 302:
                runs.append([])
                size = 0
            runs[-1].append(name)
            size += len(name) + 1
        return b"".join(
            self._lines.line("CAP", nick, subcommand, *(["*"] if number < len(runs) else []), text=" ".join(run))
            for number, run in enumerate(runs, 1)
        )
