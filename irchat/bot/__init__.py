"""Write a bot for IRChat with asyncio and the standard library alone.

A bot signs in with a token. The administrator of the server creates one with ``irchat-admin token NAME LABEL``, for the
account of the bot. A whole bot::

    import asyncio
    from pathlib import Path

    from irchat.bot import Bot

    async def main() -> None:
        token = Path("token").read_text().strip()
        async with Bot("chat.example", token) as bot:
            async for message in bot.said():
                if message.text == "!ping":
                    await bot.reply(message, "pong")

    asyncio.run(main())

`Bot.said` yields each message of the chats of the bot, in order and at most once, also after the connection was lost.
`Bot.say`, `Bot.reply` and `Bot.mark` return when the server has stored their effect. If the connection is lost
meanwhile, they repeat the request over the next one, and the server makes sure that nothing is said twice.

Before the token is sent, the server must prove its identity, as for the client ``irchat`` in a pipe: by the fingerprint
that `Bot` is given, else by the one that ``irchat`` accepted before (in its file ``known_hosts``), else by a
certificate that is valid for the host, else by the note of a server that this user runs on this machine.

The package imports nothing else of IRChat. On a machine without it, a copy of the folder ``irchat/bot`` is enough.
"""

from irchat.bot.bot import Bot, Refused, Unconfirmed
from irchat.bot.inbox import Change, Message
from irchat.bot.verifying import BotError

__all__ = ["Bot", "BotError", "Change", "Message", "Refused", "Unconfirmed"]
