"""A field is looked up by its names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from streamapp_codecs.lenient.folding import fold_keys, fold_name, is_blank
from streamapp_codecs.lenient.values import is_object

Layer = dict[str, object]
"""One JSON object under its folded names."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: errors call it *name*, and *paths* are its folded names, the preferred one first.

    A path is a name and the names to look up inside its object. *objects* are the names with something to look
    up inside: an object under such a name is not the value. *first_names* are the first names of all paths.
    """

    name: str
    paths: tuple[tuple[str, tuple[str, ...]], ...]
    objects: frozenset[str]
    first_names: frozenset[str]


def field(name: str, *aliases: str) -> Field:
    """Return the field with the names *aliases*, as people spell them; a dot goes into an object."""
    split = [tuple(fold_name(part) for part in alias.split(".")) for alias in aliases]
    paths = tuple((parts[0], parts[1:]) for parts in split)
    return Field(
        name,
        paths,
        frozenset(first for first, rest in paths if rest),
        frozenset(first for first, _ in paths),
    )


class Fields(NamedTuple):
    """The objects that one event is made of, innermost first.

    Ids under names of their own and times may come from an envelope. Everything else is read from the innermost
    object: further out, a `status` or a `name` is the envelope's.
    """

    layers: tuple[Layer, ...]

    def value(self, field: Field) -> object:
        """Return what *field* holds in the innermost object that has it; None if it is null or blank."""
        for layer in self.layers:
            value = _first_value(layer, field)
            if value is not None:
                return value
        return None

    def inner(self, field: Field) -> object:
        """Return what *field* holds in the innermost object."""
        return _first_value(self.layers[0], field)

    def inner_values(self, field: Field) -> Iterator[object]:
        """Return all that *field* holds in the innermost object, under any of its names."""
        return field_values(self.layers[0], field)

    def identity(self, own: Field, plain: Field, code: Field) -> object:
        """Return the id under its *own* name, else a *plain* one, else a *code*."""
        for value in (self.value(own), self.inner(plain), self.inner(code)):
            if value is not None:
                return value
        return None


def _first_value(layer: Layer, field: Field) -> object:
    # Most fields are absent from most objects, which have few names.
    return None if field.first_names.isdisjoint(layer) else next(field_values(layer, field), None)


def field_values(layer: Layer, field: Field) -> Iterator[object]:
    """Return all that *field* holds in *layer*, the preferred name first; nulls and blanks are left out."""
    for name, rest in field.paths:
        value = layer.get(name)
        if value is None or (not rest and name in field.objects and is_object(value)):
            continue
        for part in rest:
            value = fold_keys(value).get(part) if is_object(value) else None
        if not is_blank(value):
            yield value
