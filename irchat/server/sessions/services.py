"""The services shared by all sessions of a server."""

from collections import Counter
from collections.abc import Iterator
from itertools import count

from msgspec import Struct, field

from irchat.chat.accounts.accounts import Accounts
from irchat.chat.service import ChatService
from irchat.protocol.errors import Code
from irchat.server.admission import Admission
from irchat.server.delivery.delivery import Delivery
from irchat.server.delivery.persona_feed import PersonaFeed
from irchat.server.delivery.presence_feed import PresenceFeed
from irchat.server.sessions.rate_limiter import RateLimiters


class Services(Struct, eq=False):
    """The services of a session. ``admins``: the folded names of the users that may moderate.

    ``refusals``: the number of refused requests by code.
    """

    chat: ChatService
    accounts: Accounts
    delivery: Delivery
    presence: PresenceFeed
    personas: PersonaFeed
    admission: Admission
    rate_limiters: RateLimiters
    admins: frozenset[str] = frozenset()
    session_ids: Iterator[int] = field(default_factory=lambda: count(1))
    refusals: Counter[Code] = field(default_factory=Counter)
