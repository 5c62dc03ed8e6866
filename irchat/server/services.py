"""The parts of a server that all its sessions share."""

from irchat.accounts import Accounts
from irchat.chat.service import ChatService
from irchat.server.admission import Admission
from irchat.server.delivery import Delivery
from irchat.server.pace import Paces
from irchat.server.presence import PresenceFeed


class Services:
    """The parts that a session uses. ``admins``: the folded names of the users who may moderate."""

    def __init__(
        self,
        chat: ChatService,
        accounts: Accounts,
        delivery: Delivery,
        presence: PresenceFeed,
        admission: Admission,
        paces: Paces,
        admins: frozenset[str] = frozenset(),
    ) -> None:
        self.chat = chat
        self.accounts = accounts
        self.delivery = delivery
        self.presence = presence
        self.admission = admission
        self.paces = paces
        self.admins = admins
