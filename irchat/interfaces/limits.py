"""How much of everything one server gives, and to one user or address: what can be set, with what is sane for most."""

from dataclasses import dataclass, fields

from irchat.protocol.rules import DEFAULT_RATE, GROUP_MEMBERS, TEXT_LENGTH


@dataclass(slots=True)
class Limits:
    """The limits in force. They may change while the server runs; 0 stands for no limit where that can be."""

    per_address: int = 50
    """Sessions from one address; 0: none, and none on what else is counted for an address."""
    per_user: int = 100
    """Sessions of one user; 0: none."""
    pending: int = 2_000
    """Connections that are not signed in yet; 0: none."""
    tries: int = 10
    """Failed sign-ins from one address or to one name before pauses begin; 0: no pauses."""
    registrations: int = 200
    """New accounts from one address in an hour; 0: none."""
    rate: float = DEFAULT_RATE
    """Messages a second of one user in all sessions, three times that at once; 0: none, and none on work."""
    groups: int = 1_000
    """Groups that one user is in; 0: none."""
    group_members: int = GROUP_MEMBERS
    """Members of one group."""
    text_length: int = TEXT_LENGTH
    """Characters of one message."""
    timed: int = 1_000
    """Timed messages of one user that are alive; 0: none."""

    def change_to(self, others: "Limits") -> None:
        """Take over the values of ``others``, for all who hold this object."""
        for field in fields(self):
            setattr(self, field.name, getattr(others, field.name))
