"""``!password``: change the password of the user who is signed in."""

from collections.abc import Awaitable, Callable

from irchat.client.connect.request_channel import Ask
from irchat.protocol import events, requests


async def change_password(
    answer: Callable[[str], Awaitable[str]],
    ask: Ask,
    note: Callable[[str], None],
    complain: Callable[[str], None],
) -> None:
    """Ask the user for the old password and twice for the new one, and the server to change it.

    ``answer`` asks the user a secret question, ``ask`` sends a request. ``note`` and ``complain`` show the outcome.
    Raises what ``answer`` and ``ask`` raise.
    """
    old = await answer("Old password: ")
    new = await answer("New password: ")
    if new != await answer("New password again: "):
        complain("The new passwords differ; the old one stays. Type !password to try again.")
        return
    reply = await ask(requests.Password(old=old, new=new))
    if isinstance(reply, events.Ok):
        note("your password is changed")
    elif isinstance(reply, events.Error):
        complain(reply.text)
