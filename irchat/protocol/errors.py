"""The error that refuses a request, and the stable codes of all refusals."""

from enum import StrEnum


class Code(StrEnum):
    """The error codes on the wire. They never change; clients compare them."""

    BANNED = "banned"
    BAD_REQUEST = "bad-request"
    BAD_ENCODING = "bad-encoding"
    LINE_TOO_LONG = "line-too-long"
    TEXT_TOO_LONG = "text-too-long"
    EMPTY_TEXT = "empty-text"
    NOT_LOGGED_IN = "not-logged-in"
    ALREADY_LOGGED_IN = "already-logged-in"
    BAD_NAME = "bad-name"
    NAME_TAKEN = "name-taken"
    WEAK_PASSWORD = "weak-password"  # noqa: S105 -- a code, not a password
    BAD_CREDENTIALS = "bad-credentials"
    BAD_TOKEN = "bad-token"  # noqa: S105 -- a code, not a token
    REGISTRATION_CLOSED = "registration-closed"
    TOO_MANY_TRIES = "too-many-tries"
    NO_SUCH_USER = "no-such-user"
    NO_SUCH_GROUP = "no-such-group"
    NO_SUCH_CHAT = "no-such-chat"
    GROUP_EXISTS = "group-exists"
    NOT_A_MEMBER = "not-a-member"
    ALREADY_A_MEMBER = "already-a-member"
    NOT_THE_OWNER = "not-the-owner"
    YOURSELF = "yourself"
    BLOCKED = "blocked"
    BAD_TIME = "bad-time"
    NO_SUCH_MESSAGE = "no-such-message"
    NOT_YOURS = "not-yours"
    TOO_LATE = "too-late"
    AMEND_OFF = "amend-off"
    TOO_FAST = "too-fast"
    TOO_MANY = "too-many"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


WITH_NUMBERS = "shows the messages with their numbers."
"""The end of a next step. The full screen replaces it, because it does not show the numbers."""


class Refusal(Exception):
    """A refused request: nothing was changed, and ``text`` tells the user what to do next.

    ``usage`` is the usage text of the command that was mistyped, if any. ``until`` (RFC 3339) is the
    end of a ban that has one.
    """

    def __init__(self, code: Code, text: str, usage: str | None = None, until: str | None = None) -> None:
        super().__init__(code, text, usage, until)
        self.code = code
        self.text = text
        self.usage = usage
        self.until = until


def internal_error() -> Refusal:
    """Return the refusal for a request that failed by a fault of the server, whose log has the reason."""
    return Refusal(Code.INTERNAL, "Internal error; nothing was changed. Tell the administrator.")


def unavailable() -> Refusal:
    """Return the refusal for a store that cannot be read or written at the moment."""
    return Refusal(Code.UNAVAILABLE, "The server cannot use its disk now; nothing was changed. Try again soon.")
