"""The services shared by all sessions of a server."""

from itertools import count

from irchat.chat.accounts.accounts import Accounts
from irchat.chat.service import ChatService
from irchat.server.admission import Admission
from irchat.server.delivery.delivery import Delivery
from irchat.server.delivery.presence_feed import PresenceFeed
from irchat.server.sessions.rate_limiter import RateLimiters


class Services:
    """The services of a session. ``admins``: the folded names of the users that may moderate."""

    def __init__(
        self,
        chat: ChatService,
        accounts: Accounts,
        delivery: Delivery,
        presence: PresenceFeed,
        admission: Admission,
        rate_limiters: RateLimiters,
        admins: frozenset[str] = frozenset(),
    ) -> None:
        self.chat = chat
        self.accounts = accounts
        self.delivery = delivery
        self.presence = presence
        self.admission = admission
        self.rate_limiters = rate_limiters
        self.admins = admins
        self.session_ids = count(1)
