"""A word as a message states it, looked up in a table of what words mean."""

import re
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

import msgspec

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.lenient.folding import fold_name, is_blank
from streamapp_codecs.lenient.values import is_number, json_type

M = TypeVar("M", bound=str)

_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:[.,][0-9]+)?\s*")


class Stated(msgspec.Struct, Generic[M], frozen=True):
    """What a field states: *word* as it came, and its *meaning* where the word is known."""

    meaning: M | None = None
    word: str | None = None


_MAX_NUMBER: Final = 32


class Vocabulary(Generic[M]):
    """The words of one thing; an unknown word means None."""

    def __init__(self, table: Mapping[M, tuple[str, ...]]) -> None:
        self._index: dict[str, M] = {
            fold_name(word): meaning for meaning, words in table.items() for word in words
        }

    def meaning(self, word: str) -> M | None:
        """Return what *word* means here; a feminine ending is read as the masculine one."""
        folded = fold_name(word)
        found = self._index.get(folded)
        if found is None and folded.endswith("a"):
            return self._index.get(folded[:-1] + "o")
        return found

    def read(self, value: object, path: str) -> Stated[M]:
        """Return what *value* states.

        Raises `DecodeError` for a number, which each producer counts in its own way, and for anything else that
        is no word.
        """
        if isinstance(value, str):
            return self._read_text(value, path)
        if value is None:
            return Stated()
        raise DecodeError(
            "undecidable" if is_number(value) else "invalid_value", f"{path}: {json_type(value)}"
        )

    def _read_text(self, text: str, path: str) -> Stated[M]:
        meaning = self.meaning(text)
        if meaning is not None:
            return Stated(meaning, text)
        if is_blank(text):
            return Stated()
        if len(text) <= _MAX_NUMBER and _NUMBER.fullmatch(text):
            raise DecodeError("undecidable", f"{path}: number in a string")
        return Stated(None, text)
