"""The user's chats by name, and the chats that the user has lost."""

from collections.abc import Callable

from irchat.client.view.chat_state import ChatState
from irchat.text.names import name_key


class ChatList(dict[str, ChatState]):
    """The chats by name.

    ``gone`` holds the chats that the user has lost, such as a group that was left. They are kept while they hold typed
    text, and while ``is_open`` returns that they are on the screen.
    """

    def __init__(self, is_open: Callable[[ChatState], bool]) -> None:
        super().__init__()
        self.gone: list[ChatState] = []
        self._typed: dict[str, ChatState] = {}
        self._private: dict[str, ChatState] = {}
        self._is_open = is_open

    def named(self, name: str) -> ChatState:
        """Return the chat with this name, spelled as the server spells it. An unknown one is added."""
        if name not in self and (typed := self._typed.pop(name_key(name), None)) is not None and not typed.is_listed:
            self.spell(typed, name)
        if name not in self:
            self[name] = ChatState(name)
        return self[name]

    def typed(self, name: str) -> ChatState:
        """Return the chat of a typed name. An unknown one is added in this spelling until the server's is known."""
        if name not in self:
            self[name] = self._typed[name_key(name)] = ChatState(name)
        return self[name]

    def spell(self, chat: ChatState, name: str) -> None:
        """Change a chat's name to the server's spelling."""
        if name not in self and self.get(chat.name) is chat:
            del self[chat.name]
            chat.spell(name)
            self[name] = chat

    def of_id(self, name: str, chat_id: str) -> ChatState:
        """Return the chat with that name and id.

        A chat with another id is dropped, a lost one is restored. If an account was renamed, its chat keeps the typed
        text.
        """
        if (renamed := self._private.get(chat_id)) is not None and renamed.name != name:
            self.spell(renamed, name)
        if name in self and self[name].id not in ("", chat_id):
            self.drop(name, f"{name} is another chat now.")
        former = next((chat for chat in self.gone if (chat.name, chat.id) == (name, chat_id)), None)
        if former is not None and name not in self:
            self.gone.remove(former)
            former.reset()
            former.gone = ""
            self[name] = former
        chat = self.named(name)
        chat.id = chat_id
        if chat.is_private and chat_id.startswith("@"):
            self._private[chat_id] = chat
        return chat

    def drop(self, name: str, why: str) -> ChatState:
        """Remove a chat from the list, with the reason ``why``. Return it."""
        chat = self.pop(name)
        chat.gone = why
        if chat.has_draft or self._is_open(chat):
            self.gone.append(chat)
        return chat

    def left(self) -> None:
        """Forget the lost chats without typed text. Call this when the user leaves the open chat."""
        self.gone = [chat for chat in self.gone if chat.has_draft]

    def in_order(self) -> list[ChatState]:
        """Return the chats in the order shared by all clients of a user: GLOBAL, groups, people, each by name.

        Chats known only to this client come last.
        """
        listed = sorted((chat for chat in self.values() if chat.is_listed), key=lambda chat: chat.order)
        return [*listed, *(chat for chat in self.values() if not chat.is_listed), *self.gone]
