"""Admission: limits on connections and sessions per address and user, and pauses after failed sign-ins."""

import ipaddress
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct

from irchat.interfaces.limits import Limits
from irchat.interfaces.nodes import OtherAdmissions
from irchat.net.addresses import read_address
from irchat.protocol.errors import Code, Refusal
from irchat.protocol.rules import fold_name

_HOUR = 3_600.0
# Seconds. Pauses double from the shortest to the longest. Pauses for a name stay short, or a stranger could lock out
# its owner.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE_OF_ADDRESS = 900.0
_LONGEST_PAUSE_OF_NAME = 30.0
# Maximum number of addresses and names whose failures are remembered. The oldest are forgotten first.
_REMEMBERED_MOST = 100_000


def counted_address(host: str) -> str:
    """Return the form in which an address is counted: an IPv4 address, also if mapped into IPv6, or an IPv6 /64."""
    address = read_address(host)
    if address is None:
        return host
    if address.version == 6 and not address.is_loopback:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class _Failures(Struct):
    """The failed sign-ins from one address, or to one name."""

    count: int = 0
    at: float = 0.0
    until: float = 0.0


class Admission:
    """Counts connections and tries, and refuses those over the limits. ``seconds`` is the forward clock.

    ``pending``: connections that have not signed in. ``sign_ins``, ``failed_sign_ins``: since the start.
    ``others``: the admissions of the other nodes, or None. Sessions, registrations and failures count on all nodes.
    """

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        self.others: OtherAdmissions | None = None
        self._limits = limits
        self._seconds = seconds
        self._pending: Counter[str] = Counter()
        self.pending = self.sign_ins = self.failed_sign_ins = 0
        self._sessions: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._registrations: OrderedDict[str, list[float]] = OrderedDict()

    def connect(self, address: str) -> None:
        """Count a connection from ``address``. Raises Refusal ``too-many``."""
        limits = self._limits
        if limits.pending and self.pending >= limits.pending:
            raise Refusal(Code.TOO_MANY, "Too many sign-ins at the moment. Try again soon.")
        if limits.per_address and self._pending[address] >= limits.per_address:
            raise Refusal(Code.TOO_MANY, "Too many connections from your address wait to sign in. Close some.")
        self._pending[address] += 1
        self.pending += 1

    def disconnect(self, address: str) -> None:
        """Note that a connection that is not signed in has ended."""
        self.pending -= 1
        _less(self._pending, address)

    def enter(self, address: str, sessions_of_user: int) -> None:
        """Note that a connection signs in, as a user with this many sessions. Raises Refusal ``too-many``."""
        limits = self._limits
        elsewhere = 0 if self.others is None else self.others.sessions_of(address)
        if limits.per_address and self._sessions[address] + elsewhere >= limits.per_address:
            raise Refusal(
                Code.TOO_MANY, f"The limit of {limits.per_address} sessions from your address is reached. Leave one."
            )
        if limits.per_user and sessions_of_user >= limits.per_user:
            raise Refusal(Code.TOO_MANY, f"The limit of {limits.per_user} sessions per user is reached. Leave one.")
        self.disconnect(address)
        self._sessions[address] += 1
        self.sign_ins += 1
        self._tell_sessions(address)

    def leave(self, address: str) -> None:
        """Note that a connection signs out. It counts as not signed in until it is closed."""
        _less(self._sessions, address)
        self._tell_sessions(address)
        self._pending[address] += 1
        self.pending += 1

    @contextmanager
    def trying(self, address: str, name: str) -> Iterator[None]:
        """Admit and count a sign-in inside the context. Raises Refusal ``too-many-tries``.

        A password that is being verified counts as a failure until the outcome is known, so that simultaneous tries
        after a pause are not all verified. A token cannot be guessed: it has an empty ``name`` and is refused only
        during pauses.
        """
        name = _counted_name(name)
        now = self._seconds()
        keys = self._tried(address, name)
        for key in keys:
            failures = self._failures.get(key)
            if failures is not None and failures.until > now:
                raise Refusal(
                    Code.TOO_MANY_TRIES,
                    f"Too many sign-ins failed. Wait {math.ceil(failures.until - now)} seconds, then try again.",
                )
            failed = 0 if failures is None or now - failures.at >= _HOUR else failures.count
            if name and self._under_way[key] >= max(1, self._limits.tries - failed):
                raise Refusal(Code.TOO_MANY_TRIES, "Too many sign-ins at the same time. Wait a second, then try again.")
        counted = keys if name else []
        self._under_way.update(counted)
        try:
            yield
        except Refusal as refusal:
            if refusal.code in (Code.BAD_CREDENTIALS, Code.BAD_TOKEN):
                self.failed_sign_ins += 1
                self._note_failed(keys)
                if self.others is not None:
                    self.others.failed(keys, succeeded=False)
            raise
        finally:
            for key in counted:
                _less(self._under_way, key)
        ended = [key for key in keys if self._failures.pop(key, None)]
        if ended and self.others is not None:
            self.others.failed(ended, succeeded=True)

    def note_failed(self, keys: Sequence[str], *, succeeded: bool) -> None:
        """Note that a sign-in for these keys failed on another node, or succeeded there."""
        if not succeeded:
            self._note_failed(keys)
        else:
            for key in keys:
                self._failures.pop(key, None)

    def _note_failed(self, keys: Sequence[str]) -> None:
        """Count a failed sign-in. From the limit on, each one starts a pause, twice as long as the last."""
        now = self._seconds()
        for key in keys:
            longest = _LONGEST_PAUSE_OF_NAME if key.startswith("@") else _LONGEST_PAUSE_OF_ADDRESS
            failures = self._failures.pop(key, None) or _Failures()
            failures.count = failures.count + 1 if now - failures.at < _HOUR else 1
            failures.at = now
            over = failures.count - self._limits.tries
            if over >= 0:
                failures.until = now + min(longest, _FIRST_PAUSE * 2.0 ** min(over, 30))
            self._failures[key] = failures
        while len(self._failures) > _REMEMBERED_MOST:
            self._failures.popitem(last=False)

    @contextmanager
    def registering(self, address: str) -> Iterator[None]:
        """Count a registration made inside the context, unless it fails. Raises Refusal ``too-many-tries``."""
        is_counted = bool(self._limits.registrations and self._limits.per_address)
        if is_counted:
            if len(self._recent_registrations(address)) >= self._limits.registrations:
                raise Refusal(Code.TOO_MANY_TRIES, "Too many new accounts from your address. Try again in an hour.")
            self.note_registered(address)
        try:
            yield
        except Refusal:  # not on cancellation by a lost client: the account may be created already
            if recent := self._registrations.get(address):
                recent.pop()
            is_counted = False
            raise
        finally:
            if is_counted and self.others is not None:
                self.others.registered(address)

    def note_registered(self, address: str) -> None:
        """Count a registration, on this node or another."""
        self._recent_registrations(address).append(self._seconds())

    def _recent_registrations(self, address: str) -> list[float]:
        """Return the times of the registrations of the last hour, in a list that is kept."""
        since = self._seconds() - _HOUR
        recent = [at for at in self._registrations.pop(address, []) if at > since]
        self._registrations[address] = recent
        while len(self._registrations) > _REMEMBERED_MOST:
            self._registrations.popitem(last=False)
        return recent

    def sessions_here(self) -> Mapping[str, int]:
        """Return the number of sessions of each address on this node."""
        return self._sessions

    def _tell_sessions(self, address: str) -> None:
        if self.others is not None:
            self.others.set_sessions(address, self._sessions[address])

    def _tried(self, address: str, name: str) -> list[str]:
        """Return the keys for which a try is counted: the name with ``@``, and the address."""
        if not self._limits.tries:
            return []
        keys = [f"@{name}"] if name else []
        if self._limits.per_address:
            keys.append(address)
        return keys


class Visit:
    """One connection from ``address``, counted until `over`, which calls ``on_over``.

    Raises Refusal ``too-many``.
    """

    def __init__(self, admission: Admission, address: str, on_over: Callable[[], None] = lambda: None) -> None:
        self._admission = admission
        self.address = address
        self._is_over = False
        self._is_signed_in = False
        self._on_over = on_over
        admission.connect(address)

    def enter(self, sessions_of_user: int) -> None:
        """Note that the connection signs in, as a user with this many other sessions. Raises Refusal ``too-many``."""
        self._admission.enter(self.address, sessions_of_user)
        self._is_signed_in = True

    def leave(self) -> None:
        """Note that the connection signs out."""
        if self._is_signed_in:
            self._is_signed_in = False
            self._admission.leave(self.address)

    def over(self) -> None:
        """Note that the connection is closed."""
        self.leave()
        if not self._is_over:
            self._is_over = True
            self._admission.disconnect(self.address)
            self._on_over()


def _counted_name(name: str) -> str:
    """Return the counted form of a name, equal for all its spellings, or "" for an invalid name."""
    try:
        return fold_name(name)
    except Refusal:
        return ""


def _less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
