"""Hypothesis strategies made from the structs of the wire, so that a new field is tested as soon as it is declared."""

import unicodedata
from typing import Any

import msgspec
from hypothesis import strategies as st

HOSTILE = [chr(code) for code in [*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)]]
BIDI = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))

plain_text = st.text(st.characters(exclude_categories=["Cs"]))
hostile_text = st.text(st.sampled_from([*HOSTILE, "\x1b", "\n", "a", "[", "\ud800"]) | st.characters())


def members(union: Any) -> list[type[msgspec.Struct]]:
    """Return the structs of a union, in the order of its declaration."""
    return list(union.__args__)


def structs(struct: type[msgspec.Struct], text: st.SearchStrategy[str] = plain_text) -> st.SearchStrategy[Any]:
    """Return a strategy for ``struct``: any value of its type in each field, free strings from ``text``."""
    return _values(msgspec.inspect.type_info(struct), text)


def filled(struct: type[msgspec.Struct], text: str) -> Any:
    """Return an instance of ``struct`` with every field set and ``text`` in every string."""
    return _filled(msgspec.inspect.type_info(struct), text)


def is_hostile(character: str) -> bool:
    """Whether a terminal might obey the character."""
    return unicodedata.category(character) in ("Cc", "Cs") or character in BIDI


def _filled(kind: Any, text: str) -> Any:
    match kind:
        case msgspec.inspect.StructType(cls=cls, fields=fields):
            return cls(**{field.name: _filled(field.type, text) for field in fields})
        case msgspec.inspect.UnionType(types=types):
            return _filled(next(one for one in types if not isinstance(one, msgspec.inspect.NoneType)), text)
        case msgspec.inspect.StrType():
            return text
        case msgspec.inspect.IntType():
            return 7
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.LiteralType(values=values):
            return values[0]
        case msgspec.inspect.ListType(item_type=item):
            return [_filled(item, text)] * 2
        case msgspec.inspect.DictType(value_type=value):
            return {text: _filled(value, text)}
    raise TypeError(kind)


def _values(kind: Any, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    match kind:
        case msgspec.inspect.StructType(cls=cls, fields=fields):
            required = {field.name: _values(field.type, text) for field in fields if field.required}
            optional = {field.name: _values(field.type, text) for field in fields if not field.required}
            return st.fixed_dictionaries(required, optional=optional).map(lambda values: cls(**values))
        case msgspec.inspect.UnionType(types=types):
            return st.one_of([_values(one, text) for one in types])
        case msgspec.inspect.StrType(min_length=None, max_length=None):
            return text
        case msgspec.inspect.StrType(min_length=low, max_length=high):
            return st.text(st.characters(exclude_categories=["Cs"]), min_size=low or 0, max_size=high)
        case msgspec.inspect.IntType(ge=low, le=high):
            return st.integers(low, high)
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case msgspec.inspect.ListType(item_type=item):
            return st.lists(_values(item, text), max_size=4)
        case msgspec.inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_values(key, text), _values(value, text), max_size=4)
    raise TypeError(kind)
