"""The input line: text typed for each target, pastes too long for one message, completion."""

from collections.abc import Callable
from dataclasses import replace

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.clipboard import Clipboard
from prompt_toolkit.document import Document

from irchat.client.control.completion import Completion, common_beginning, complete
from irchat.client.control.controller import NOT_CONNECTED, Controller, Spot, Target
from irchat.client.control.questions import Question, Stage
from irchat.client.control.referring import edited_message
from irchat.client.terminal.inputs import Input, Inputs, Shown, takes_text
from irchat.client.view.chat_state import ChatState
from irchat.client.view.listing import Cursor
from irchat.client.view.navigation import Place
from irchat.protocol.rules import TEXT_LENGTH, visible
from irchat.text.cells import fit
from irchat.text.names import same_name

# A message, with room for the command before it.
_TYPED_MAX = TEXT_LENGTH + 100
_SHOWN_CHOICES = 8
_AGAIN = "Press Ctrl-C again to leave."
_NAME_CELLS = 20


class InputLine:
    """Pass typed text to the controller. ``trouble`` is the text about the last key.

    Typed text belongs to one target from the first key on. Enter sends it only if the screen shows that target; see
    `drew`. ``stop_search`` ends a search in the input history.
    """

    def __init__(
        self, controller: Controller, is_searching: Callable[[], bool], stop_search: Callable[[], None]
    ) -> None:
        self.trouble = ""
        self._last_trouble = ""
        self._controller = controller
        self._is_searching = is_searching
        self._stop_search = stop_search
        self._inputs = Inputs(self._text_changed)
        self._drawn: Shown | None = None
        self._completion: Completion | None = None
        self._choice = -1
        self._keys = 0  # since the last Enter
        controller.sending.give_back = self._give_back
        controller.view.on_deleted = self._forget

    @property
    def buffer(self) -> Buffer:
        """The buffer of the current target."""
        return self._inputs.now.buffer

    @property
    def target(self) -> Target:
        """The current target."""
        return self._inputs.now.target

    @property
    def clipboard(self) -> Clipboard:
        """The clipboard of the current target."""
        return self._inputs.clipboard

    @property
    def is_empty(self) -> bool:
        """Whether nothing is typed."""
        return self._inputs.now.is_empty

    @property
    def is_secret(self) -> bool:
        """Whether the typed text must stay hidden."""
        return isinstance(self.target, Question) and self.target.secret

    @property
    def is_busy(self) -> bool:
        """Whether the user is in an action that no event may interrupt."""
        view = self._controller.view
        asked = isinstance(self.target, Question) and self.target.stage is Stage.OVER and self.target.touched
        return bool(
            not self._inputs.now.is_empty or asked or self._is_searching()
            or view.filter is not None or view.manual is not None or view.choice.is_on
        )  # fmt: skip

    @property
    def question(self) -> str:
        """The prompt of the input: a question, or the destination of plain text."""
        target = self.target
        if isinstance(target, Question):
            return target.text
        if target is Spot.FILTER:
            return "Go to: "
        name = target.name if isinstance(target, ChatState) else ""
        return f"{fit(name, _NAME_CELLS)}> " if name else "> "

    @property
    def command(self) -> str:
        """The typed text if it may be a command, else empty."""
        return self.buffer.text if isinstance(self.target, ChatState) else ""

    @property
    def status(self) -> str:
        """The text for the status line, empty if there is none."""
        if isinstance(self.target, Question) and self.target.stage is Stage.OVER:
            return "The connection was lost before you answered, and what you typed was dropped. Enter alone goes on."
        held = self._inputs.now.held
        if self.trouble == NOT_CONNECTED and not self._controller.view.link:
            return "The connection is back. Press Enter again."
        if self.trouble or not held:
            return self.trouble
        count = len(split_text(held))
        return f"Pasted {len(held):,} characters: Enter sends them in {count} messages, Ctrl-C drops them"

    # Targets.

    def follow(self) -> None:
        """Switch to the controller's target. Text typed for a question that is over is dropped."""
        target = self._controller.target
        if target is not self.target:
            if self._is_searching():
                self._stop_search()
            self._completion = None
            self._inputs.turn_to(target)
        elif isinstance(target, Question) and target.stage is not Stage.ASKED and self.buffer.text:
            target.touched = True
            self._inputs.now.put("")

    def shown(self) -> Shown:
        """Return the input as the frame being drawn shows it."""
        now = self._inputs.now
        stage = now.target.stage if isinstance(now.target, Question) else None
        return Shown(now, now.version, stage)

    def painted(self, shown: Shown) -> Shown:
        """Return ``shown`` with the message of the user that the frame shows."""
        return replace(shown, own=self._controller.view.last_own)

    def drew(self, shown: Shown | None) -> None:
        """Record that the terminal has received the frame that showed ``shown``, None if it had no room for it."""
        self._drawn = shown

    def _give_back(self, chat: ChatState, line: str) -> bool:
        """Put a refused line back into the input of a chat. Return False if other text is typed there."""
        given = self._inputs.of(chat)
        if not given.is_empty or (given is self._inputs.now and self._is_searching()):
            return False
        given.put(line)
        if chat.gone and chat not in self._controller.view.chats.gone:
            self._controller.view.chats.gone.append(chat)
        return True

    def _forget(self, chat: ChatState, seq: int) -> None:
        """Forget what was typed for a deleted message: the lines that sent it, and edits of it."""
        language, sent, view = self._controller.language, chat.typed.get(seq, ()), self._controller.view
        if chat is view.here and view.choice.lost(seq, chat.items):
            self.trouble = f"#{seq} was deleted." + " Another message is chosen now." * view.choice.is_on

        def is_gone(line: str, here: ChatState | None) -> bool:
            edited = edited_message(line, (here or chat).name, language)
            if edited is None or edited[1] is None:  # of a draft, only an edit that was recalled
                return line in sent and (here is None or edited is not None)
            return edited[1] == seq and same_name(edited[0], chat.name)

        self._inputs.forget(is_gone)

    # Keys.

    def enter(self) -> None:
        """Handle Enter."""
        target = self.target
        if target is Spot.FILTER or (isinstance(target, ChatState) and self._is_list()):
            self._controller.choose()
        elif isinstance(target, Question) and target.stage is Stage.OVER:
            # Until the screen shows that the question is over, the next keys may be the rest of a password. After such
            # keys Enter is the end of it, and the next line may be the password again.
            if self._keys == 1 and self._drawn == self.shown():
                self._controller.questions.acknowledge()
            self._inputs.now.version += 1
        elif self._inputs.now.is_empty and (not isinstance(target, Question) or target.secret):
            self._controller.view.manual = None
        elif self._drawn != self.shown():
            self.trouble = self._last_trouble or "Not sent: this was not on the screen yet. Press Enter again."
        elif isinstance(target, Question):
            self._answer(target)
        elif isinstance(target, ChatState):
            self._submit(target)
        self._keys = 0
        self.follow()
        self._controller.changed()

    def _is_list(self) -> bool:
        view = self._controller.view
        return self._inputs.now.is_empty and view.manual is None and view.place in (Place.HOME, Place.FOUND)

    def _answer(self, question: Question) -> None:
        if question.stage is Stage.ASKED:
            text = self.buffer.text
            self._inputs.now.put("")
            with self._controller.questions.by_key():
                self._controller.questions.answer(text)

    def _submit(self, chat: ChatState) -> None:
        self._controller.view.manual = None
        now = self._inputs.now
        if now.held:
            self._send_held(now, chat)
            return
        line = now.buffer.text
        with self._controller.questions.by_key():
            own = self._drawn.own if self._drawn is not None else None
            taken = self._controller.submit(line, chat, as_text=line == now.confirmed, own=own)
        if taken.again:
            now.confirmed = line
        self._inputs.homeless = now if taken.homeless and not chat.gone else None
        if taken.accepted:
            now.buffer.reset(append_to_history=taken.remember)
            chat.has_draft = False
            if not taken.remember:
                self._inputs.forget_cut()
        else:
            self._refuse(taken.trouble)

    def _refuse(self, trouble: str) -> None:
        """Show why a key was refused. The same key confirms it after this is on the screen."""
        self.trouble = trouble
        self._inputs.now.version += 1

    def clear_or_leave(self) -> None:
        """Handle Ctrl-C: undo the current action, or leave if there is none."""
        view, now = self._controller.view, self._inputs.now
        if view.manual is not None:
            view.manual = None
        elif isinstance(self.target, Question) and self.target.stage is Stage.OVER:
            self._controller.questions.acknowledge()
        elif self.cancel():
            return
        elif now.is_empty:
            self._leave_if_again()
            return
        else:
            if now.held:
                now.held = ""
            else:
                now.buffer.reset()
            self._text_changed(now.buffer)
        self.follow()
        self._controller.changed()

    def cancel_or_leave(self) -> None:
        """Handle Ctrl-D on an empty line."""
        if not self.cancel():
            self._leave()

    def cancel(self) -> bool:
        """Handle Escape: leave the list of chats, or a question. Return False if there is neither."""
        target = self.target
        if target is Spot.FILTER:
            self._controller.view.filter = None
        elif isinstance(target, Question) and target.stage is Stage.ASKED and target.can_cancel:
            self._controller.questions.cancel()
        else:
            return False
        self.follow()
        self._controller.changed()
        return True

    def paste(self, text: str) -> None:
        """Insert a paste as one piece of text. A paste that is too long for a message is held until Enter."""
        text = visible(text.replace("\r\n", "\n").replace("\r", "\n"))
        now = self._inputs.now
        if not takes_text(now.target):
            return
        if len(now.buffer.text) + len(text) <= TEXT_LENGTH and not now.held:
            now.buffer.insert_text(text)
        elif not isinstance(now.target, ChatState) or now.held:
            self.trouble = "That paste is too long here."
        else:
            now.held = now.buffer.text + text
            now.buffer.reset()
            now.target.has_draft = True

    def key_pressed(self) -> None:
        """Handle any key: remove the text about the last one. Only the next key can confirm a warning."""
        self._keys += 1
        self.follow()
        if not self.trouble:
            self._inputs.now.confirmed = ""
            self._controller.forget_warning()
        self._last_trouble, self.trouble = self.trouble, ""

    def _leave(self) -> None:
        """Leave, unless there is a new warning, or the last one is not on the screen yet."""
        if self._last_trouble and self._drawn != self.shown():
            self.trouble = self._last_trouble
        elif trouble := self._controller.leave():
            self._refuse(trouble)

    def _leave_if_again(self) -> None:
        """Leave when Ctrl-C is pressed again with nothing to clear. Before the sign-in, leave at once."""
        is_again = self._last_trouble == _AGAIN or self._controller.has_unsent  # that has a warning of its own
        if is_again or self.target is Spot.NOWHERE or isinstance(self.target, Question):
            self._leave()
        else:
            self._refuse(_AGAIN)

    def begin_with(self, start: str, *, keep: bool) -> bool:
        """Type the beginning of a line. ``keep`` puts it before what is typed. Return False if that is in the way."""
        if not self.is_empty and not (keep and not self._inputs.now.held):
            self.trouble = "Send or clear what is typed first (Ctrl-C)."
            return False
        self._inputs.now.change(start + self.buffer.text)
        return True

    def turn_filter(self) -> None:
        """Handle Ctrl-K: filter the list of chats while the typed text is kept, or leave that list."""
        if not self.cancel():
            self._controller.view.begin_filter()
            self.follow()
            self._controller.changed()

    # Completion.

    def complete(self) -> None:
        """Handle Tab: insert the only choice, or the common prefix of all; then each choice in turn."""
        if not isinstance(self.target, ChatState):
            return
        line = self.buffer.document.text_before_cursor
        if (found := self._completion) is not None:
            choice = (self._choice + 1) % len(found.words)
            self._offer(found, choice, found.words[choice])
        elif (found := complete(line, self._controller.view, self._controller.language)) is None:
            self.trouble = "nothing to complete"
        elif len(found.words) == 1:
            self._replace(found, found.words[0] + found.after)
        else:
            self._offer(found, -1, max(line[found.start :], common_beginning(found.words), key=len))

    def _offer(self, found: Completion, choice: int, text: str) -> None:
        """Insert ``text``, and show the choices. The one with the number ``choice`` is marked."""
        self._replace(found, text)
        self._completion, self._choice = found, choice
        first = max(0, min(choice - 1, len(found.words) - _SHOWN_CHOICES))
        shown = [
            f"[{word}]" if number == choice else word
            for number, word in enumerate(found.words[first : first + _SHOWN_CHOICES], first)
        ]
        more = " …" if first + _SHOWN_CHOICES < len(found.words) else ""
        self.trouble = f"Tab: {'  '.join(shown)}{more}"

    def _replace(self, found: Completion, word: str) -> None:
        document = self.buffer.document
        before = document.text_before_cursor[: found.start] + word
        self._inputs.now.change(before + document.text_after_cursor, len(before))

    def _text_changed(self, buffer: Buffer) -> None:
        self._completion = None
        view, now = self._controller.view, self._inputs.now
        if now.target is Spot.FILTER:
            view.filter = buffer.text
            view.cursor = Cursor()
        elif isinstance(now.target, ChatState):
            now.target.has_draft = not now.is_empty
        elif isinstance(now.target, Question):
            now.target.touched = True
        if len(buffer.text) > _TYPED_MAX:
            kept = buffer.text[:_TYPED_MAX]
            buffer.set_document(Document(kept, min(buffer.cursor_position, len(kept))))
            self.trouble = f"A message has at most {TEXT_LENGTH:,} characters."

    def _send_held(self, now: Input, chat: ChatState) -> None:
        for part in split_text(now.held):
            taken = self._controller.submit(part, chat, as_text=True)
            if not taken.accepted:
                self._inputs.homeless = now if taken.homeless and not chat.gone else None
                self.trouble = taken.trouble
                return
        now.held = ""
        chat.has_draft = not now.is_empty


def split_text(text: str) -> list[str]:
    """Split ``text`` into parts that each fit into a message, preferably at line ends or spaces."""
    parts = []
    near = TEXT_LENGTH // 2
    while len(text) > TEXT_LENGTH:
        cut = max(text.rfind("\n", near, TEXT_LENGTH + 1), 0) or max(text.rfind(" ", near, TEXT_LENGTH + 1), 0)
        parts.append(text[: cut or TEXT_LENGTH])
        text = text[cut or TEXT_LENGTH :].lstrip("\n")
    return [part for part in [*parts, text] if part.strip()]
