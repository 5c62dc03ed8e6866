"""Texts of messages: formatting codes, CTCP and ACTION."""

from typing import NamedTuple


class Said(NamedTuple):
    """The text of a PRIVMSG or NOTICE, as it is stored. ``ctcp``: it is a CTCP other than ACTION, to be refused."""

    text: str
    ctcp: bool = False


def strip_formatting(text: str) -> str:
    """Return ``text`` without colour, bold and the other formatting codes."""
    raise NotImplementedError


def read_said(text: str) -> Said:
    """Return what a client said, in the form in which it is stored: ACTION as ``/me waves``, no formatting codes."""
    raise NotImplementedError


def as_action(text: str) -> str:
    """Return a stored text of one line as the last parameter of PRIVMSG: ``/me waves`` as ACTION."""
    raise NotImplementedError
