"""The rules for names, texts, passwords and lifetimes, and the limits of the protocol."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import regex
from precis_i18n import get_profile

from irchat.protocol.errors import Code, Refusal

PROTOCOL = 1
DEFAULT_PORT = 7667

# Bytes.
CLIENT_LINE_BYTES = 65_536
SERVER_LINE_BYTES = 262_144
WAITING_BYTES = 262_144
PASSWORD_MIN_BYTES = 8
PASSWORD_MAX_BYTES = 1_024

# Characters.
NAME_LENGTH = 32
TEXT_LENGTH = 4_000
REF_LENGTH = 64
NONCE_LENGTH = 64
SEARCH_LENGTH = 200
LABEL_LENGTH = 64
REASON_LENGTH = 300
TRANSCRIPT_LENGTH = 262_144

# Counts.
PAGE_DEFAULT = 50
PAGE_MAX = 500
USERS_DEFAULT = 1_000
ONLINE_IN_WELCOME = 1_000
CHATS_MAX = 1_000
SIGN_INS_MAX = 200
GROUP_MEMBERS = 1_000
TRANSCRIPT_LINES = 500
LOGIN_TRIES = 3

# Seconds.
TIMED_MAX = 604_800
LOGIN_SECONDS = 60
PING_AFTER = 45
SILENCE_ENDS = 90
NONCE_SECONDS = 600
TOKEN_SECONDS = 90 * 86_400
TOKEN_TOUCH_SECONDS = 86_400
PRESENCE_SECONDS = 1.0
REPRINT_SECONDS = 0.5
DELETION_REPRINT_SECONDS = 2.0
MARKER_SECONDS = 1.0

DEFAULT_RATE = 10.0
BURST_SECONDS = 3.0

GLOBAL_NAME = "GLOBAL"

FEATURES = ("amend", "marks", "mentions", "alert", "around", "sessions", "keys")
"""The abilities that a server of this version names in ``welcome``. Older ones of the same protocol lack some."""

# Services to which IRC clients send passwords: no new user may have these names.
SERVICE_KEYS = frozenset({"nickserv"})

_ANSWER = re.compile(r"#0*([1-9][0-9]{0,17}) ")
_RESERVED_KEYS = frozenset({"ls", "exit", "global"})
_NOT_IN_NAMES = frozenset("*@+-~:,?!\\#&><\"'{}[]()/|=;")
_PROFILE = get_profile("UsernameCaseMapped")

# UAX 31's recommended and limited-use scripts; what one language mixes is UTS 39's "highly restrictive" level.
_SCRIPTS = """Adlam Arabic Armenian Balinese Bamum Batak Bengali Bopomofo Canadian_Aboriginal Chakma Cham Cherokee
Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hanifi_Rohingya Hebrew Hiragana Javanese
Kannada Katakana Kayah_Li Khmer Lao Latin Lepcha Limbu Lisu Malayalam Mandaic Meetei_Mayek Mongolian Myanmar
New_Tai_Lue Newa Nko Nyiakeng_Puachue_Hmong Ol_Chiki Oriya Osage Saurashtra Sinhala Sundanese Syloti_Nagri Syriac
Tai_Le Tai_Tham Tai_Viet Tamil Telugu Thaana Thai Tibetan Tifinagh Vai Wancho Yi""".split()  # noqa: SIM905
_MIXES = [("Latin", "Han", "Hiragana", "Katakana"), ("Latin", "Han", "Bopomofo"), ("Latin", "Han", "Hangul")]

_CONTROL_PICTURES: dict[int, int] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD),
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}


def _script_pattern(scripts: Iterable[str]) -> str:
    return "[" + "".join(rf"\p{{scx={script}}}" for script in scripts) + r"\p{Common}\p{Inherited}]+"


@lru_cache(maxsize=1)
def _one_script() -> "regex.Pattern[str]":
    """Return the pattern of names in the letters of one language. It is compiled for the first non-ASCII name."""
    return regex.compile("|".join(_script_pattern(group) for group in [*_MIXES, *((s,) for s in _SCRIPTS)]))


def _bad_name(name: str, why: str) -> Refusal:
    return Refusal(Code.BAD_NAME, f"{shown(name)!r} cannot be a name: {why}. Choose another one.")


def shown(text: str, length: int = NAME_LENGTH) -> str:
    """Return ``text`` for use in an error text: visible characters on one line, at most ``length`` of them."""
    line = visible(text[: length + 1]).replace("\n", "\u240a").replace("\t", "\u2409")
    return line if len(line) <= length else line[: length - 1] + "…"


@lru_cache(maxsize=65_536)
def fold_name(name: str) -> str:
    """Return the key by which names of users and groups are compared (RFC 8265, UsernameCaseMapped).

    Raises Refusal ``bad-name`` if ``name`` is not a valid name.
    """
    if not 1 <= len(name) <= NAME_LENGTH:
        raise _bad_name(name, f"names have 1 to {NAME_LENGTH} characters")
    if any(0xD800 <= ord(character) < 0xE000 for character in name):
        raise _bad_name(name, "it is not valid Unicode")
    try:
        key: str = _PROFILE.enforce(name)
    except UnicodeEncodeError as error:
        raise _bad_name(name, "it has white space, symbols or other characters that names do not have") from error
    if unicodedata.category(name[0]).startswith("M"):
        raise _bad_name(name, "it begins with a mark that belongs on a letter before it")
    if forbidden := _NOT_IN_NAMES.intersection(name + key):
        raise _bad_name(name, f"names do not have {' '.join(sorted(forbidden))}")
    if key in _RESERVED_KEYS:
        raise _bad_name(name, "that word means something else here")
    if key.isdecimal():
        raise _bad_name(name, "a name is not digits alone")
    if not key.isascii() and not _one_script().fullmatch(key):
        raise _bad_name(name, "it mixes the letters of several scripts, or uses one that is no longer written")
    return key


def visible(text: str) -> str:
    """Return ``text`` with every control but line feed and tab made visible, so that no terminal obeys it.

    C0 controls and DEL become their pictures; C1 controls, bidirectional embeddings, overrides and isolates,
    and lone surrogates become U+FFFD. The length stays.
    """
    return text if text.isascii() and text.isprintable() else text.translate(_CONTROL_PICTURES)


def clean_text(text: str, most: int = TEXT_LENGTH) -> str:
    """Return the text of a message, of at most ``most`` characters, with its controls made visible.

    Raises Refusal ``empty-text`` or ``text-too-long``.
    """
    if len(text) > most:
        raise Refusal(
            Code.TEXT_TOO_LONG,
            f"The message has {len(text):,} characters; {most:,} are the most. Send it in parts.",
        )
    if not text.strip():
        raise Refusal(Code.EMPTY_TEXT, "The message is empty. Write something after the command.")
    return visible(text)


def answered_seq(text: str) -> int | None:
    """Return the seq of the message that ``text`` answers, such as ``#17 yes``, or None if it is no answer."""
    answer = _ANSWER.match(text)
    return None if answer is None else int(answer[1])


def check_seconds(seconds: int) -> int:
    """Return the lifetime of a timed message in whole seconds. Raises Refusal ``bad-time`` outside 1 to 604,800."""
    if not 1 <= seconds <= TIMED_MAX:
        raise Refusal(
            Code.BAD_TIME, f"The time of a timed message is a whole number of seconds from 1 to {TIMED_MAX:,}."
        )
    return seconds


def seconds_left(left_ms: int | None) -> float:
    """Return the seconds that a timed message has left, as a server reported it, limited to the valid range."""
    return min(max(0, left_ms or 0), TIMED_MAX * 1_000) / 1_000


def check_password(password: str, name: str) -> str:
    """Check a new password of the user ``name``. Raises Refusal ``weak-password``."""
    length = len(password.encode("utf-8", "surrogatepass"))
    if not PASSWORD_MIN_BYTES <= length <= PASSWORD_MAX_BYTES:
        raise Refusal(
            Code.WEAK_PASSWORD,
            f"A password has {PASSWORD_MIN_BYTES} to {PASSWORD_MAX_BYTES:,} bytes. Choose another one.",
        )
    if unicodedata.normalize("NFKC", password).casefold() == unicodedata.normalize("NFKC", name).casefold():
        raise Refusal(Code.WEAK_PASSWORD, "The password is the name. Choose another one.")
    return password


def is_sign(character: str) -> bool:
    """Return whether a character is a sign (an emoji, a currency, an arrow), which search treats as a word.

    A character that this Python does not know is one too: most likely it is a newer emoji.
    """
    category = unicodedata.category(character)
    return not character.isascii() and (category[0] == "S" or category in ("Co", "Cn", "Me"))


def is_searchable(word: str) -> bool:
    """Return whether search can look for ``word``: whether it has a letter, a digit or a sign."""
    return any(
        unicodedata.category(character)[0] in "LN" or is_sign(character)
        for character in unicodedata.normalize("NFKD", word)
    )


def line_bytes(text: str) -> int:
    """Return the number of bytes that a text from `clean_text` takes in a line of the protocol."""
    count = text.count
    return len(text if text.isascii() else text.encode()) + count('"') + count("\\") + count("\n") + count("\t")
