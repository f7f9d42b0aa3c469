"""JSON Schemas of types, in a form that generators of code read."""

import re
from collections import Counter
from inspect import cleandoc
from typing import Any, cast

import msgspec


def schemas(types: list[tuple[str, Any]], template: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return a schema (2020-12) of each of *types*, which have names, and those of all types that they hold, by name.

    A reference to one that is held is *template* with its `{name}`. Every schema has a title, and every part of one:
    generators call a part without a title AnonymousSchema_7. `OrderStatus` is the field `status` of `Order`. No two of
    those held have the same title.
    """
    plain, components = msgspec.json.schema_components(
        [of for _, of in types], schema_hook=_anything, ref_template=template
    )
    titles = {name: _plain(schema["title"]) for name, schema in components.items()}
    uses = Counter(titles.values())
    titles = {name: title if uses[title] == 1 else _camel(name) for name, title in titles.items()}
    taken = frozenset(titles.values())
    return (
        [_titled(schema, _camel(name), taken) for (name, _), schema in zip(types, plain, strict=True)],
        {name: _titled(schema | {"title": titles[name]}, name, taken) for name, schema in components.items()},
    )


def draft_07(schema: object) -> Any:  # noqa: ANN401 - JSON
    """Return *schema* in the older form of JSON Schema that AsyncAPI 3.0 keeps, where a tuple is spelled differently."""
    if isinstance(schema, list):
        return [draft_07(it) for it in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    parts = cast("dict[str, object]", schema)
    if isinstance(parts.get("prefixItems"), list):  # and is not a property of that name
        spelled = {"prefixItems": "items", "items": "additionalItems"}
        parts = {spelled.get(keyword, keyword): part for keyword, part in parts.items()}
    return {name: draft_07(part) for name, part in parts.items()}


def _anything(of: type) -> dict[str, Any]:
    """Return the schema of a type that only the codec that reads it knows."""
    return {"title": of.__name__}


_HELD = {"items": "item", "additionalProperties": "value", "propertyNames": "name"}
"""By keyword: what a schema under it is called."""


def _titled(schema: dict[str, Any], title: str, taken: frozenset[str]) -> dict[str, Any]:
    """Return *schema* with *title* where it has none, and its parts with titles that begin like it."""
    if "$ref" in schema:
        return schema
    # A type of its own may have the name that the field would get.
    schema = {"title": f"{title}Field" if title in taken else title} | schema
    # OpenAPI's, which AsyncAPI refuses. The tags say the same: each is the only value of its field.
    schema.pop("discriminator", None)

    def part(name: object, of: Any) -> Any:  # noqa: ANN401 - JSON
        # `"items": false` is no schema: there are no more of them.
        return of is not False and _titled(of, f"{_camel(schema['title'])}{_camel(str(name))}", taken)

    for keyword, value in schema.items():
        match keyword:
            case "description":
                schema[keyword] = cleandoc(value)
            case "properties":
                schema[keyword] = {name: part(name, of) for name, of in value.items()}
            case "items" | "additionalProperties" | "propertyNames":
                schema[keyword] = part(_HELD[keyword], value)
            case "anyOf" | "prefixItems":
                kinds = [
                    it.get("type", "enum" if "enum" in it else number) for number, it in enumerate(value, 1)
                ]
                schema[keyword] = [part(kind, it) for kind, it in zip(kinds, value, strict=True)]
            case _:
                pass
    return schema


def _plain(title: str) -> str:
    """Return *title* as one word: `Page[shop.Order]` is `PageOrder`."""
    return title if title.isidentifier() else _camel(re.sub(r"\w+\.", "", title))


def _camel(name: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in re.findall(r"[^\W_]+", name))
