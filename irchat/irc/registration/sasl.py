"""SASL PLAIN over AUTHENTICATE (IRCv3 sasl-3.1, RFC 4616)."""

import base64
import binascii
from typing import NamedTuple

from irchat.irc.numerics import Numeric
from irchat.text.names import same_name

_CHUNK = 400
_MOST = 4_000


class Credentials(NamedTuple):
    """The name and the password that a client sent."""

    name: str
    password: str


class SaslFailure(NamedTuple):
    """The end of an exchange, as numerics. The text of ``905`` names the error."""

    numerics: tuple[Numeric, ...]


_FAILED = SaslFailure((Numeric.ERR_SASLFAIL,))
_TOO_LONG = SaslFailure((Numeric.ERR_SASLTOOLONG,))
_ABORTED = SaslFailure((Numeric.ERR_SASLABORTED,))
_OTHER_MECHANISM = SaslFailure((Numeric.RPL_SASLMECHS, Numeric.ERR_SASLFAIL))


class PlainExchange:
    """Collects the parameters of AUTHENTICATE, up to 4,000 bytes of base64."""

    def __init__(self) -> None:
        self._has_begun = False
        self._chunks = ""

    def take(self, parameter: str) -> "Credentials | SaslFailure | None":
        """Handle a parameter of AUTHENTICATE. Return the end of the exchange, or None if it goes on.

        An exchange begins with the name of a mechanism, which the server answers with ``AUTHENTICATE +``.
        """
        if parameter == "*":
            return self._end(_ABORTED)
        if not self._has_begun:
            if parameter.upper() != "PLAIN":
                return _OTHER_MECHANISM
            self._has_begun = True
            return None
        if parameter != "+":
            self._chunks += parameter
            if len(parameter) > _CHUNK:
                return self._end(_TOO_LONG)
            if len(self._chunks) > _MOST:
                return self._end(_FAILED)
            if len(parameter) == _CHUNK:
                return None
        return self._end(_credentials(self._chunks))

    @property
    def is_empty(self) -> bool:
        """Whether no chunk came yet."""
        return not self._chunks

    @property
    def expects_mechanism(self) -> bool:
        """Whether the next parameter is the name of a mechanism."""
        return not self._has_begun

    def _end(self, outcome: "Credentials | SaslFailure") -> "Credentials | SaslFailure":
        self._has_begun, self._chunks = False, ""
        return outcome


def _credentials(encoded: str) -> "Credentials | SaslFailure":
    try:
        authzid, name, password = base64.b64decode(encoded, validate=True).decode().split("\0")
    except (binascii.Error, ValueError):
        return _FAILED
    if not name or not password or (authzid and not same_name(authzid, name)):
        return _FAILED
    return Credentials(name, password)
