"""The command by which a protocol reads something of its own in the order of the requests of its session."""

from irchat.commands.base import Caller, Command, Outcome, Services
from irchat.protocol import requests


class Inquire(Command):
    """Run the function of an inquiry."""

    request = requests.Inquiry

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Inquiry) -> Outcome:
        return request.read(caller.user)
