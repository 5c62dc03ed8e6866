"""The input line: what is typed in each chat, pastes too long for one message, completion."""

from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory

from irchat.client.completion import Completion, common_beginning, complete
from irchat.client.desk import Desk
from irchat.client.terminal.editing import GraphemeBuffer
from irchat.client.view.state import Place
from irchat.client.view.wrap import fit
from irchat.rules import TEXT_LENGTH, visible

# Somewhat more than a message, for the command before it.
_TYPED_MAX = TEXT_LENGTH + 100
_SHOWN_CHOICES = 8
_NAME_CELLS = 20


class InputLine:
    """Takes what is typed to the desk. ``trouble`` is what to say in the status line until the next key."""

    def __init__(self, desk: Desk, forget_killed: Callable[[], None]) -> None:
        self.buffer = GraphemeBuffer(multiline=True, history=InMemoryHistory(), on_text_changed=self._text_changed)
        self.trouble = ""
        self._desk = desk
        self._forget_killed = forget_killed
        self._drafts: dict[str, str] = {}
        self._draft_of: str | None = None
        self._held = ""
        self._completion: Completion | None = None
        self._choice = -1

    @property
    def question(self) -> str:
        """What stands before the input: what is asked, or where a plain text goes."""
        asked = self._desk.questions.question
        if asked:
            return asked
        view = self._desk.view
        if view.filter is not None:
            return "Go to: "
        return "> " if view.place is Place.SIGN_IN else f"{fit(self._desk.target, _NAME_CELLS)}> "

    def enter(self) -> None:
        """Enter was pressed."""
        if self._held:
            self._send_held()
            return
        self._desk.view.manual = None
        text = self.buffer.text
        taken = self._desk.submit(text)
        if taken.accepted:
            self.buffer.reset(append_to_history=taken.remember)
            if not taken.remember:
                self._forget_killed()
            self._desk.changed()
        else:
            self.trouble = taken.trouble

    def clear(self) -> bool:
        """Ctrl-C: undo what is under way; False where nothing is, and the user means to leave."""
        view = self._desk.view
        if self._held:
            self._held = self.trouble = ""
        elif view.manual is not None:
            view.manual = None
        elif view.filter is not None:
            self.end_filter()
        elif self.buffer.text:
            self.buffer.reset()
        else:
            return False
        self._desk.changed()
        return True

    def paste(self, text: str) -> None:
        """A paste is one piece of text; one that is too long for a message is kept aside until Enter."""
        text = visible(text.replace("\r\n", "\n").replace("\r", "\n"))
        if len(self.buffer.text) + len(text) <= TEXT_LENGTH:
            self.buffer.insert_text(text)
        elif self._desk.questions.question or self._desk.view.filter is not None:
            self.trouble = "That paste is too long here."
        else:
            self._held = self.buffer.text + text
            self.buffer.reset()
            count = len(split_text(self._held))
            self.trouble = f"Pasted {len(text):,} characters: Enter sends them in {count} messages, Ctrl-C drops them"

    def key_pressed(self) -> None:
        """Any key: what was said of the last one goes."""
        if not self._held:
            self.trouble = ""

    # Completion.

    def complete(self) -> None:
        """Tab: the one word, or the beginning that all have; then one after the other."""
        line = self.buffer.document.text_before_cursor
        if self._completion is not None:
            self._take_choice((self._choice + 1) % len(self._completion.words))
            return
        found = complete(line, self._desk.view)
        if found is None:
            self.trouble = "nothing to complete"
        elif len(found.words) == 1:
            self._replace(found, found.words[0] + found.after)
        else:
            self._offer(found)

    def _offer(self, found: Completion) -> None:
        common = common_beginning(found.words)
        if len(common) > len(self.buffer.document.text_before_cursor) - found.start:
            self._replace(found, common)
        self._completion, self._choice = found, -1
        self._tell_choices()

    def _take_choice(self, choice: int) -> None:
        found = self._completion
        assert found is not None
        self._replace(found, found.words[choice])
        self._completion, self._choice = found, choice
        self._tell_choices()

    def _tell_choices(self) -> None:
        found = self._completion
        assert found is not None
        first = max(0, min(self._choice - 1, len(found.words) - _SHOWN_CHOICES))
        shown = [
            f"[{word}]" if number == self._choice else word
            for number, word in enumerate(found.words[first : first + _SHOWN_CHOICES], first)
        ]
        more = " …" if first + _SHOWN_CHOICES < len(found.words) else ""
        self.trouble = f"Tab: {'  '.join(shown)}{more}"

    def _replace(self, found: Completion, word: str) -> None:
        document = self.buffer.document
        before = document.text_before_cursor[: found.start] + word
        self.buffer.set_document(Document(before + document.text_after_cursor, len(before)))

    # Drafts, one for each chat.

    def chat_changed(self) -> None:
        """Another chat may be open: what was being typed stays with the chat it was typed for."""
        view = self._desk.view
        if view.filter is not None or self._desk.questions.question:
            return
        now = view.open.name if view.place is Place.CHAT and view.open is not None else ""
        if self._draft_of is None:
            self._draft_of = now
        elif now != self._draft_of:
            self._drafts[self._draft_of] = self.buffer.text
            self._draft_of = now
            self._put(self._drafts.pop(now, ""))

    def begin_filter(self) -> None:
        """Ctrl-K: the input finds a chat; what was being typed waits."""
        view = self._desk.view
        self._drafts[self._draft_of or ""] = self.buffer.text
        view.begin_filter()
        self._put("")

    def end_filter(self) -> None:
        """Back from the filter."""
        self._desk.view.filter = None
        self._put(self._drafts.pop(self._draft_of or "", ""))

    def suggest(self) -> None:
        """A question with a suggestion has come."""
        questions = self._desk.questions
        if questions.question and questions.suggestion:
            suggestion, questions.suggestion = questions.suggestion, ""
            self._put(suggestion)

    def _put(self, text: str) -> None:
        self.buffer.reset(Document(text, len(text)))

    def _text_changed(self, _: object) -> None:
        self._completion = None
        view = self._desk.view
        if view.filter is not None:
            view.filter = self.buffer.text
            view.cursor.index = 0
        if len(self.buffer.text) > _TYPED_MAX:
            kept = self.buffer.text[:_TYPED_MAX]
            self.buffer.set_document(Document(kept, min(self.buffer.cursor_position, len(kept))))
            self.trouble = f"A message has at most {TEXT_LENGTH:,} characters."

    def _send_held(self) -> None:
        for part in split_text(self._held):
            self._desk.say(part)
        self._held = self.trouble = ""


def split_text(text: str) -> list[str]:
    """``text`` in parts that each fit into a message, broken at line ends or spaces where there are some near by."""
    parts = []
    near = TEXT_LENGTH // 2
    while len(text) > TEXT_LENGTH:
        cut = max(text.rfind("\n", near, TEXT_LENGTH + 1), 0) or max(text.rfind(" ", near, TEXT_LENGTH + 1), 0)
        parts.append(text[: cut or TEXT_LENGTH])
        text = text[cut or TEXT_LENGTH :].lstrip("\n")
    return [part for part in [*parts, text] if part.strip()]
