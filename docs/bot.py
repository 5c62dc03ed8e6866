"""An example of a bot: it knows who is on duty.

Run it with ``python docs/bot.py chat.example token-file``. In any chat of the bot, ``!duty bob`` puts bob on duty, and
``!duty`` asks who it is. The bot keeps what it was handed in the file ``duty.json``, so it answers each question once,
also those that were asked while it was not running.
"""

import argparse
import asyncio
import contextlib
import logging
from pathlib import Path

from irchat.bot import Bot, Message, Refused


class Duty:
    """The users on duty, by chat."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._on_duty: dict[str, str] = {}

    async def hear(self, message: Message) -> None:
        """Answer a message that is meant for this bot."""
        match message.text.split():
            case ["!duty"]:
                name = self._on_duty.get(message.chat)
                await self._bot.reply(message, f"@{name} is on duty" if name else "nobody is on duty; !duty <user>")
            case ["!duty", name]:
                self._on_duty[message.chat] = name.removeprefix("@")
                await self._bot.mark(message, "ok")
                await self._bot.say(message.chat, f"{name.removeprefix('@')} is on duty from now on")


async def main(host: str, token: str, fingerprint: str | None) -> None:
    """Run the bot until it is stopped."""
    async with Bot(host, token, fingerprint, state="duty.json") as bot:
        logging.info("signed in as %s", bot.name)
        duty = Duty(bot)
        async for message in bot.said():
            try:
                await duty.hear(message)
            except Refused as refused:  # such as a group that the bot has just left
                logging.warning("not said in %s: %s", message.chat, refused)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A bot that knows who is on duty.")
    parser.add_argument("host", help="the server, as host or host:port")
    parser.add_argument("token", type=Path, help="the file with the token that irchat-admin token printed")
    parser.add_argument("--fingerprint", help="the fingerprint that the server prints at its start")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(options.host, options.token.read_text().strip(), options.fingerprint))
