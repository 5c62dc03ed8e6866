"""The typed text of each target: a chat, a question, or the filter of the chat list."""

from collections.abc import Callable
from dataclasses import dataclass, field

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.clipboard import Clipboard, InMemoryClipboard
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import InMemoryHistory

from irchat.client.control.controller import Spot, Target
from irchat.client.control.questions import Question, Stage
from irchat.client.terminal.editing import GraphemeBuffer
from irchat.client.view.chat_state import ChatState
from irchat.client.view.items import Item

_HISTORY_LINES = 1_000


class TypedHistory(InMemoryHistory):
    """The last lines that were typed, from which some can be removed."""

    def append_string(self, string: str) -> None:
        """Add a line."""
        super().append_string(string)
        del self._storage[:-_HISTORY_LINES], self._loaded_strings[_HISTORY_LINES:]

    def forget(self, is_gone: Callable[[str], bool]) -> None:
        """Remove lines."""
        for lines in (self._storage, self._loaded_strings):
            lines[:] = [line for line in lines if not is_gone(line)]


class Input:
    """The text typed for ``target``.

    ``held`` is a paste too long for one message, which waits for Enter. ``confirmed`` is a line that Enter, as the next
    key, sends as text. ``version`` increases with each text not typed by a key, and with each refusal: the user must
    see both before Enter accepts them.
    """

    def __init__(self, target: Target, history: InMemoryHistory, changed: Callable[[Buffer], None]) -> None:
        self.target = target
        self.held = ""
        self.version = 0
        self.confirmed = ""
        text = target.suggestion if isinstance(target, Question) else ""
        self.buffer = GraphemeBuffer(
            multiline=True,
            # Answers do not enter the history, and the history is not offered for answers.
            history=history if isinstance(target, ChatState) else InMemoryHistory(),
            document=Document(text, len(text)),
            on_text_changed=changed,
            read_only=Condition(lambda: not takes_text(target)),
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is typed."""
        return not self.buffer.text and not self.held

    def put(self, text: str) -> None:
        """Replace the text."""
        self.version += 1
        self.buffer.reset(Document(text, len(text)))
        if isinstance(self.target, ChatState):
            self.target.has_draft = not self.is_empty

    def change(self, text: str, cursor: int | None = None) -> None:
        """Replace the text by one that a key stands for, with the cursor at its end. Undo brings back the last one."""
        self.version += 1
        self.buffer.set_document(Document(text, cursor))

    def take(self, other: "Input") -> None:
        """Take the text of another input."""
        text, self.held = other.buffer.text, other.held
        other.held = ""
        other.put("")
        self.put(text)


@dataclass(frozen=True)
class Shown:
    """The input as a frame shows it: its target, its text, and the progress of the question.

    ``own`` is the user's last message in the pane.
    """

    input: Input
    version: int
    stage: Stage | None
    own: Item | None = field(default=None, compare=False)


class Inputs:
    """The inputs of all targets. ``now`` is the one that receives keys.

    ``homeless`` is an input whose text had no destination when Enter was pressed. It moves to the next chat that is
    opened, if nothing is typed there.
    """

    def __init__(self, changed: Callable[[Buffer], None]) -> None:
        self._changed = changed
        self._history = TypedHistory()
        self._of_chats: dict[ChatState, Input] = {}
        self._clipboard = self._secret_clipboard = InMemoryClipboard()
        self.homeless: Input | None = None
        self.now = self._new(Spot.NOWHERE)

    @property
    def clipboard(self) -> Clipboard:
        """The clipboard. Each question has its own, so that an answer stays there."""
        return self._secret_clipboard if isinstance(self.now.target, Question) else self._clipboard

    def of(self, chat: ChatState) -> Input:
        """Return the input of a chat."""
        if chat not in self._of_chats:
            self._of_chats[chat] = self._new(chat)
        return self._of_chats[chat]

    def turn_to(self, target: Target) -> None:
        """Direct keys to ``target``. Text typed for a chat stays with the chat, any other is dropped."""
        before = self.now
        if isinstance(target, ChatState):
            self.now = self.of(target)
        else:
            self.now = self._new(target)
            self._secret_clipboard = InMemoryClipboard()
        if isinstance(target, ChatState) and target.name and self.homeless is not None:
            if self.now.is_empty and not target.gone:
                self.now.take(self.homeless)
            self.homeless = None
        if isinstance(before.target, ChatState) and before.is_empty:
            self._of_chats.pop(before.target, None)

    def forget_cut(self) -> None:
        """Empty the clipboard."""
        self._clipboard = InMemoryClipboard()

    def forget(self, is_gone: Callable[[str, ChatState | None], bool]) -> None:
        """Forget lines, also as drafts, as cut text, and for undo. ``is_gone`` takes a line and its chat, if known."""
        self._history.forget(lambda line: is_gone(line, None))
        self.forget_cut()
        for typed in self._of_chats.values():
            buffer, chat = typed.buffer, typed.target
            assert isinstance(chat, ChatState)
            if is_gone(typed.held or buffer.text, chat):
                typed.held = ""
                typed.put("")
            else:
                buffer.reset(Document(buffer.text, buffer.cursor_position))

    def _new(self, target: Target) -> Input:
        return Input(target, self._history, self._changed)


def takes_text(target: Target) -> bool:
    """Return whether ``target`` accepts typed text."""
    return target.stage is Stage.ASKED if isinstance(target, Question) else target is not Spot.NOWHERE
