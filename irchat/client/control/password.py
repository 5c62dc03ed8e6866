"""``!password`` on the full screen."""

from functools import partial

from irchat.client.control.questions import Cancelled, Questions
from irchat.client.control.send_queue import Ask
from irchat.client.view.screen_state import ScreenState
from irchat.protocol import events, requests


async def change_password(questions: Questions, view: ScreenState, ask: Ask) -> None:
    """Ask for the old and twice for the new password, and have it changed. Raises ClientError."""
    answer = partial(questions.ask, secret=True, can_cancel=True)
    try:
        old = await answer("Old password: ")
        new = await answer("New password: ")
        if new != await answer("New password again: "):
            view.complain("The new passwords differ; the old one stays. Type !password to try again.")
            return
        reply = await ask(requests.Password(old=old, new=new))
        if isinstance(reply, events.Ok):
            view.note("your password is changed")
        elif isinstance(reply, events.Error):
            view.complain(reply.text)
    except Cancelled:
        view.note("cancelled: the old password stays")
    finally:
        questions.dismiss()
