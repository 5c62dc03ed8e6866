"""The chats of a user, by name, and those that are the user's no longer."""

from collections.abc import Callable

from irchat.client.view.chat_state import ChatState
from irchat.text.names import name_key


class ChatList(dict[str, ChatState]):
    """The chats by name. ``gone`` are those that are the user's no longer, kept while they hold something typed.

    ``is_open`` tells whether a chat shows now: it is kept too.
    """

    def __init__(self, is_open: Callable[[ChatState], bool]) -> None:
        super().__init__()
        self.gone: list[ChatState] = []
        self._typed: dict[str, ChatState] = {}
        self._is_open = is_open

    def named(self, name: str) -> ChatState:
        """The chat of that name as the server spells it, a new one where none is known."""
        if name not in self and (typed := self._typed.pop(name_key(name), None)) is not None and not typed.is_listed:
            self.spell(typed, name)
        if name not in self:
            self[name] = ChatState(name)
        return self[name]

    def typed(self, name: str) -> ChatState:
        """The chat of a name that the user typed. One that is not known has that name until the server tells it."""
        if name not in self:
            self[name] = self._typed[name_key(name)] = ChatState(name)
        return self[name]

    def spell(self, chat: ChatState, name: str) -> None:
        """The server spells the name of a chat so."""
        if name not in self and self.get(chat.name) is chat:
            del self[chat.name]
            chat.spell(name)
            self[name] = chat

    def of_id(self, name: str, chat_id: str) -> ChatState:
        """The chat of that name and id. An older one of another id is dropped; one that was gone comes back."""
        if name in self and self[name].id not in ("", chat_id):
            self.drop(name, f"{name} is another chat now.")
        former = next((chat for chat in self.gone if (chat.name, chat.id) == (name, chat_id)), None)
        if former is not None and name not in self:
            self.gone.remove(former)
            former.start_anew()
            former.gone = ""
            self[name] = former
        chat = self.named(name)
        chat.id = chat_id
        return chat

    def drop(self, name: str, why: str) -> ChatState:
        """A chat is the user's no longer, for the reason ``why``. Return it."""
        chat = self.pop(name)
        chat.gone = why
        if chat.has_draft or self._is_open(chat):
            self.gone.append(chat)
        return chat

    def left(self) -> None:
        """The user turns to something else: what is gone and holds nothing typed is forgotten."""
        self.gone = [chat for chat in self.gone if chat.has_draft]

    def in_order(self) -> list[ChatState]:
        """The chats in an order that is the same in all clients of a user: GLOBAL, groups, people, by their names.

        Those that only this client knows come last.
        """
        listed = sorted((chat for chat in self.values() if chat.is_listed), key=lambda chat: chat.order)
        return [*listed, *(chat for chat in self.values() if not chat.is_listed), *self.gone]
