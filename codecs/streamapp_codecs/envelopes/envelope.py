"""What is taken from the envelopes around an event: an id, a time, its kind."""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.dominio.campos import KIND, KIND_HINT, PERHAPS_KIND
from streamapp_codecs.dominio.vocabulario import Entity
from streamapp_codecs.envelopes.kinds import Clues
from streamapp_codecs.lenient.fields import Layer
from streamapp_codecs.lenient.folding import fold_name, is_blank
from streamapp_codecs.lenient.json_text import read_json
from streamapp_codecs.lenient.values import is_array, is_number, is_object

MAX_ENVELOPES: Final = 5

_CERTAIN = frozenset(fold_name(name) for name in KIND)
_EXPLICIT = tuple(fold_name(name) for name in (*KIND, *PERHAPS_KIND))
_HINTS = tuple(fold_name(name) for name in KIND_HINT)
_NAMES = frozenset((*_EXPLICIT, *_HINTS))

_NO_CLUES = Clues()


class Envelope(NamedTuple):
    """Objects (*layers*) and kinds (*clues*) from the *depth* envelopes opened so far, innermost first.

    *own* is the entity of the queue.
    """

    own: Entity
    layers: tuple[Layer, ...] = ()
    clues: Clues = _NO_CLUES
    depth: int = 0

    def inside(self, *layers: Layer) -> "Envelope":
        """Return the envelope one deeper, with *layers* passed; raises `DecodeError` if that is too deep."""
        if self.depth == MAX_ENVELOPES:
            raise DecodeError("too_deep", f"more than {MAX_ENVELOPES} envelopes")
        return Envelope(self.own, layers + self.layers, self.clues, self.depth + 1)

    def with_kinds(self, layer: Layer) -> "Envelope":
        """Add the kinds that *layer* names."""
        if _NAMES.isdisjoint(layer):
            return self
        explicit = [(name, value) for name in _EXPLICIT if _is_kind(name, value := layer.get(name))]
        hints = [value for name in _HINTS if isinstance(value := layer.get(name), str)]
        return self._with(
            tuple(
                (value if isinstance(value, str) else "(number)", name in _CERTAIN)
                for name, value in explicit
            ),
            tuple(hints),
        )

    def with_attributes(self, attributes: Mapping[str, object]) -> "Envelope":
        """Add the kind that a message's attributes name."""
        kinds = (value for name, value in attributes.items() if fold_name(name) in _CERTAIN)
        explicit = tuple((value, True) for value in kinds if isinstance(value, str) and value.strip())
        return self._with(explicit, ()) if explicit else self

    def with_hint(self, hint: str) -> "Envelope":
        """Add a kind that counts only if it is known."""
        return self._with((), (hint,))

    def with_entity(self, entity: Entity) -> "Envelope":
        """Add the entity that a wrapper names."""
        return self._replace(clues=self.clues._replace(entity=entity))

    def _with(self, explicit: tuple[tuple[str, bool], ...], hints: tuple[str, ...]) -> "Envelope":
        old = self.clues
        new = Clues(explicit + old.explicit, hints + old.hints, old.entity)
        return Envelope(self.own, self.layers, new, self.depth)


Opened: TypeAlias = "tuple[object, Envelope] | DecodeError"
"""One thing out of an envelope with the clues about it, or the error of reading it."""


def content(value: object) -> dict[str, object] | list[object] | None:
    """Return the object, or the array of objects, that *value* is or spells; None if it is neither."""
    if isinstance(value, str):
        return content(_in_text(value)) if value.lstrip()[:1] in {"{", "[", '"'} else None
    if is_object(value):
        return value
    if is_array(value) and any(isinstance(part, dict) for part in value):
        return value
    return None


def _in_text(text: str) -> object:
    try:
        return read_json(text)
    except DecodeError as error:
        if error.reason == "not_json":
            return None
        raise


def _is_kind(name: str, value: object) -> bool:
    # An object under `evento` is an envelope, an array has no meaning; a number is always an unknown kind.
    if isinstance(value, str):
        return not is_blank(value)
    return name in _CERTAIN and is_number(value)
