"""The limits of one server, and of one user or address on it. The defaults suit most servers."""

from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import asdict

from irchat.protocol.rules import DEFAULT_RATE, GROUP_MEMBERS, TEXT_LENGTH

_MANY = 10**9


def _limit(description: str, least: int = 0, most: int = _MANY) -> Meta:
    return Meta(ge=least, le=most, description=description, extra={"live": True})


class Limits(Struct, rename="kebab"):
    """The limits in force. They may change while the server runs. 0 means no limit if the help says so.

    Each field is also a setting (see `irchat.settings`). Its name, range, help and default are defined only here.
    """

    rate: Annotated[
        float, _limit("Messages per second and user, in bursts of three times that; 0: no limit on messages and work")
    ] = DEFAULT_RATE
    per_address: Annotated[int, _limit("Maximum sessions per address; 0: no limits per address")] = 50
    per_user: Annotated[int, _limit("Maximum sessions per user; 0: no limit")] = 100
    pending: Annotated[int, _limit("Maximum connections not yet signed in; 0: no limit")] = 2_000
    tries: Annotated[int, _limit("Failed sign-ins per address or name before pauses start; 0: no pauses")] = 10
    registrations: Annotated[int, _limit("Maximum new accounts per address and hour; 0: no limit")] = 200
    groups: Annotated[int, _limit("Maximum groups per user; 0: no limit")] = 1_000
    group_members: Annotated[int, _limit("Maximum members of a group", 1, GROUP_MEMBERS)] = GROUP_MEMBERS
    text_length: Annotated[int, _limit("Maximum characters of a message", 1, TEXT_LENGTH)] = TEXT_LENGTH
    edit_hours: Annotated[float, _limit("Hours after sending during which a message can be edited; 0: no limit")] = 24.0
    no_amend: Annotated[
        bool, Meta(description="Refuse edits, and deletions of one's own stored messages", extra={"live": True})
    ] = False
    timed: Annotated[int, _limit("Maximum live timed messages per user; 0: no limit")] = 1_000

    def change_to(self, others: "Limits") -> None:
        """Copy the values of ``others`` into this object, which is shared."""
        for name, value in asdict(others).items():
            setattr(self, name, value)
