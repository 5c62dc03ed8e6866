"""Publications with one audience, encoded once for all sessions of a protocol."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from irchat.interfaces.bus import Place, Publication, StoredPlace

Encode = Callable[[Publication], bytes | None]
"""Encodes a publication for all sessions that share the function. None: it differs between them."""

_kind = attrgetter("place.__class__")
_hidden = attrgetter("hidden")


class Run:
    """Publications with one audience. Their bytes are joined once per encoding, on first use."""

    def __init__(self, publications: Sequence[Publication]) -> None:
        self.publications = publications
        # The number of publications by the id of the session that caused them.
        self.origins: dict[int, int] = {}
        for publication in publications:
            if (origin := publication.origin) is not None:
                self.origins[origin] = self.origins.get(origin, 0) + 1
        first = publications[0].hidden
        self.hidden = first if len(publications) == 1 else frozenset(first).union(*map(_hidden, publications))
        self.kinds: set[type[Place | None]] = set(map(_kind, publications))
        """The kinds of their places."""
        self._joined: dict[Encode, bytes | None] = {}
        self._each: dict[Encode, list[bytes | None]] = {}

    @property
    def is_stored(self) -> bool:
        """Whether all of them are stored messages."""
        return self.kinds == {StoredPlace}

    def bytes_for(self, encode: Encode) -> bytes | None:
        """Return the bytes of all publications, or None if one of them differs between sessions."""
        if encode in self._joined:
            return self._joined[encode]
        encoded = list(map(encode, self.publications))
        joined = self._joined[encode] = None if None in encoded else b"".join(encoded)  # type: ignore[arg-type]
        if len(self.origins) > 1:
            self._each[encode] = encoded
        return joined

    def of_others(self, encode: Encode, session: int) -> tuple[bytes, list[Publication]] | None:
        """Return the bytes and the publications without those of one session, or None if they differ between sessions.

        Encoding each of them again for each of their senders would take the square of their number.
        """
        if self.bytes_for(encode) is None:
            return None
        others = [
            (data, publication)
            for data, publication in zip(self._each[encode], self.publications, strict=True)
            if publication.origin != session
        ]
        return b"".join(data for data, _ in others if data), [publication for _, publication in others]
