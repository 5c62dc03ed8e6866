"""``!password``: change the password of the signed-in user."""

from collections.abc import Callable
from functools import partial

from irchat.client.connect.dialogue import Dialogue
from irchat.client.connect.request_channel import Ask
from irchat.client.exceptions import Cancelled
from irchat.protocol import events, requests


async def change_password(
    dialogue: Dialogue, ask: Ask, note: Callable[[str], None], complain: Callable[[str], None]
) -> None:
    """Ask in ``dialogue`` for the old password, and twice for the new one, then request the change.

    ``ask`` sends a request. ``note`` and ``complain`` show the outcome. Other exceptions than Cancelled pass through.
    """
    answer = partial(dialogue.ask, secret=True, can_cancel=True)
    try:
        old = await answer("Old password: ")
        new = await answer("New password: ")
        again = await answer("New password again: ")
    except Cancelled:
        note("cancelled: the password is unchanged")
        return
    if new != again:
        complain("The new passwords differ, so the password is unchanged. Type !password to try again.")
        return
    reply = await ask(requests.Password(old=old, new=new))
    if isinstance(reply, events.Ok):
        note("your password is changed")
    elif isinstance(reply, events.Error):
        complain(reply.text)
