"""The commands of public keys, which sign in their users over SSH."""

import re

from irchat.commands.base import Caller, Command, Outcome, Services, SSHConnection, need_door
from irchat.commands.syntax import GAP, Part, Syntax, word
from irchat.protocol import events, requests
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.public_keys import PublicKey, read_key, read_line

_KEYS = "!keys"


class Keys(Command):
    """``!keys``"""

    prefix = "!"
    usage = _KEYS
    meaning = "list the public keys that sign you in over SSH"
    syntax = Syntax(word(_KEYS))
    request = requests.Keys
    feature = "keys"

    @classmethod
    def run(cls, services: Services, caller: Caller, request: requests.Keys) -> Outcome:
        return _listed(services, caller)


class AddKey(Command):
    """``!keys add ssh-ed25519 AAAA... alice@laptop``"""

    prefix = "!"
    usage = f"{_KEYS} add <number|public_key>"
    meaning = "add a key that your ssh has offered, or one from a file such as ~/.ssh/id_ed25519.pub"
    syntax = Syntax(word(_KEYS), GAP, word("add"), Part(r"(?:\s+(?P<key>.+))?", r"\s*.*"))
    request = requests.AddKey
    feature = "keys"
    may_be_text = False
    secret = re.compile(r"!keys\s+add\s.*PRIVATE KEY")

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.AddKey:
        given = match["key"]
        if given is not None and re.fullmatch(r"[0-9]{1,9}", given):
            return requests.AddKey(number=int(given))
        return requests.AddKey(key=given)

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.AddKey) -> events.Event:
        await services.accounts.keys.add(caller.user, _chosen(request, caller.ssh))
        return await _listed(services, caller)


class RemoveKey(Command):
    """``!keys remove 2``"""

    prefix = "!"
    usage = f"{_KEYS} remove <number>"
    meaning = "remove a key, and end its sessions"
    syntax = Syntax(word(_KEYS), GAP, word("remove"), GAP, Part(r"(?P<number>[0-9]{1,9})", r"[0-9]*"))
    request = requests.RemoveKey
    feature = "keys"
    may_be_text = False

    @classmethod
    def read(cls, match: re.Match[str]) -> requests.RemoveKey:
        return requests.RemoveKey(number=int(match["number"]) or None)

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.RemoveKey) -> events.Event:
        await services.accounts.keys.remove(caller.user, request.number, request.fingerprint)
        return await _listed(services, caller)


class KeyOf(Command):
    """Ask whether a key signs in a user."""

    request = requests.KeyOf
    signed_in = None

    @classmethod
    async def run(cls, services: Services, caller: Caller, request: requests.KeyOf) -> events.Event:
        need_door(caller)
        key = read_key(request.kind, request.blob)
        if not await services.accounts.keys.is_of(request.user, key.blob):
            raise Refusal(Code.BAD_CREDENTIALS, "That key signs in nobody of this name.")
        return events.Ok()


async def _listed(services: Services, caller: Caller) -> events.Keys:
    return await services.accounts.keys.listed(caller.user, () if caller.ssh is None else caller.ssh.offered)


def _chosen(request: requests.AddKey, ssh: SSHConnection | None) -> PublicKey:
    """Return the key that a request names. Raises Refusal ``bad-request``."""
    offered = () if ssh is None else ssh.offered
    if request.key is not None and not request.key.startswith("SHA256:"):
        return read_line(request.key)
    if request.number is not None:
        found = [key for number, key in enumerate(offered, 1) if number == request.number]
    elif request.key is not None:
        found = [key for key in offered if key.fingerprint == request.key.strip()]
    else:
        found = list(offered)
    if len(found) != 1:
        offers = "offers none" if not offered else f"offers {len(offered)}: {Keys.usage} lists them with their numbers"
        raise Refusal(
            Code.BAD_REQUEST,
            f"Name one key. This connection {offers}. Or paste one: the line in ~/.ssh/id_ed25519.pub.",
            AddKey.usage,
        )
    return found[0]
