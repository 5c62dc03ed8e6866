"""``!password``: change the password of the signed-in user."""

from collections.abc import Awaitable, Callable

from irchat.client.connect.request_channel import Ask
from irchat.protocol import events, requests


async def change_password(
    answer: Callable[[str], Awaitable[str]],
    ask: Ask,
    note: Callable[[str], None],
    complain: Callable[[str], None],
) -> None:
    """Ask for the old password, and twice for the new one, then request the change.

    ``answer`` asks the user a secret question, ``ask`` sends a request. ``note`` and ``complain`` show the outcome.
    Exceptions of ``answer`` and ``ask`` pass through.
    """
    old = await answer("Old password: ")
    new = await answer("New password: ")
    if new != await answer("New password again: "):
        complain("The new passwords differ, so the password is unchanged. Type !password to try again.")
        return
    reply = await ask(requests.Password(old=old, new=new))
    if isinstance(reply, events.Ok):
        note("your password is changed")
    elif isinstance(reply, events.Error):
        complain(reply.text)
