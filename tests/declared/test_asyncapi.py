"""What is documented of our messages is what we take and send."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from declared.documented import BODIES, Made, Other, Page, app_of
from streamapp.app import App
from streamapp.config import Config
from streamapp.declared.asyncapi import asyncapi, json_schemas
from streamapp.observe.tap_record import Effect, TapRecord
from streamapp.observe.tap_record import schema as tap_schema
from streamapp_agents import app
from streamapp_codecs import Json

ROOT = Path(__file__).parents[2]


def bodies() -> list[dict[str, Any]]:
    """The samples that are JSON objects with the canonical envelope."""
    found: list[dict[str, Any]] = []
    for line in (ROOT / "tests" / "data" / "messages.jsonl").read_text().splitlines():
        try:
            body = json.loads(json.loads(line)["body"])
        except ValueError:
            continue
        if (
            isinstance(body, dict)
            and "event_type" in body
            and body["event_type"] in json_schemas(app.registry)
        ):
            found.append(body)
    return found


def test_the_document_in_the_repository_is_up_to_date() -> None:
    """An outdated document is worse than none; `just docs` makes it anew."""
    assert json.loads((ROOT / "docs" / "asyncapi.json").read_text()) == asyncapi(app.registry, Config())


def test_what_tail_prints_is_valid_by_its_schema_in_the_repository() -> None:
    """Scripts are written against it; `just docs` makes it anew."""
    written = json.loads((ROOT / "docs" / "tap-record.json").read_text())
    effect = Effect(table="acompanhamento", key="7", fields={"status": (None, "Pronto")})
    body = msgspec.Raw(b'{"data":[1]}')
    record = TapRecord(
        queue="q", outcome="retry", done_ms=1, key="7", took_ms=0.5, effects=(effect,), body=body
    )
    told = json.loads(msgspec.json.encode(record))

    assert written == json.loads(json.dumps(tap_schema()))
    Draft202012Validator.check_schema(written)
    assert Draft202012Validator(written).is_valid(told)
    assert not Draft202012Validator(written).is_valid(told | {"outcome": "fine"})
    assert all("description" in it for it in written["properties"].values())


def test_every_schema_is_a_valid_json_schema() -> None:
    """A code generator must be able to read it."""
    schemas = json_schemas(app.registry)

    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert {"pedido_criado", "pagamento_atualizado", "acompanhamento_atualizado"} <= schemas.keys()


def test_real_messages_of_the_canonical_shape_are_valid() -> None:
    """The document must describe what is sent in fact; the codecs take more shapes than it describes."""
    schemas = json_schemas(app.registry)

    valid = [Draft202012Validator(schemas[body["event_type"]]).is_valid(body) for body in bodies()]

    assert sum(valid) >= 5


def test_a_message_that_lacks_its_order_is_not_valid() -> None:
    """A schema that takes everything says nothing."""
    schema = json_schemas(app.registry)["pedido_status_atualizado"]

    assert not Draft202012Validator(schema).is_valid(
        {"event_type": "pedido_status_atualizado", "data": {"status": "Pronto"}}
    )


def test_each_queue_is_a_channel_with_its_operations() -> None:
    """From the document one finds which agent receives a message, and which queue it is sent to."""
    document = asyncapi(app.registry, Config())

    assert set(document["channels"]) == {*(agent.queue for agent in app.agents.values()), *app.sinks}
    assert {(it["action"], it["channel"]["$ref"]) for it in document["operations"].values()} == {
        ("receive", "#/channels/pedido-events"),
        ("receive", "#/channels/pagamento-events"),
        ("receive", "#/channels/produto-events"),
        ("send", "#/channels/acompanhamento-events"),
    }


def test_a_codec_that_does_not_declare_its_types_has_a_channel_without_messages() -> None:
    """A codec needs one method only; the document must not ask for more."""

    class Mute:
        decode = Json(dict).decode

    other = App("other")

    @other.agent("things", Mute())
    async def things(stream: object) -> None:
        """Do nothing."""

    assert asyncapi(other.registry, Config())["channels"]["things"]["messages"] == {}
    assert json_schemas(other.registry) == {}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_any_type_is_documented(name: str) -> None:
    """A codec may read a union, a list, a generic: each is a message, and each member of a union."""
    body, kinds = BODIES[name]
    app = app_of(body)

    document, schemas = asyncapi(app.registry, Config()), json_schemas(app.registry)

    assert set(document["components"]["messages"]) == kinds
    assert schemas.keys() == kinds
    assert all(name.isascii() for name in document["components"]["schemas"])
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    for place, reference in references(document):
        assert found(document, reference) is not None, place
    for schema in schemas.values():
        for place, reference in references(schema):
            assert found(schema, reference) is not None, place


def test_a_member_of_a_union_is_valid_by_its_own_schema_only() -> None:
    """A reader of one kind of message must not take another for it."""
    schemas = json_schemas(app_of(BODIES["union"][0]).registry)

    made = msgspec.to_builtins(Made("7"))

    assert Draft202012Validator(schemas["made"]).is_valid(made)
    assert not Draft202012Validator(schemas["moved"]).is_valid(made)


def test_a_type_that_holds_itself_is_valid_to_the_depth() -> None:
    """The schema of one kind alone must hold what it refers to."""
    schema = json_schemas(app_of(BODIES["tree"][0]).registry)["Tree"]

    assert Draft202012Validator(schema).is_valid({"name": "a", "children": [{"name": "b", "children": []}]})
    assert not Draft202012Validator(schema).is_valid({"name": "a", "children": [{"name": 1}]})


def test_types_that_share_a_name_or_a_tag_are_told_apart() -> None:
    """Else the document of one would silently be the other's."""
    app = app_of(Made, Other.Made, Page[Made], Page[int], list[Made], list[Other.Made])

    document = asyncapi(app.registry, Config())

    payloads = [json.dumps(it["payload"]) for it in document["components"]["messages"].values()]
    titles = [it["title"] for it in document["components"]["schemas"].values()]
    assert len(set(payloads)) == 6
    assert len(set(titles)) == len(titles)
    assert len(json_schemas(app.registry)) == 6


def test_every_schema_has_a_title() -> None:
    """A generator of code names its models by them."""
    for app_ in (app, app_of(*(body for body, _ in BODIES.values()))):
        components = asyncapi(app_.registry, Config())["components"]

        assert [place for place, schema in parts(components) if "title" not in schema] == []


def parts(components: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every schema in *components*, parts of schemas included, with its place."""
    pending = [(name, schema) for name, schema in components["schemas"].items()]
    pending += [(name, message["payload"]) for name, message in components["messages"].items()]
    while pending:
        place, schema = pending.pop()
        if not isinstance(schema, dict) or "$ref" in schema:
            continue
        yield place, schema
        pending += [(f"{place}.{name}", part) for name, part in schema.get("properties", {}).items()]
        for keyword in ("items", "additionalItems", "additionalProperties", "propertyNames", "anyOf"):
            held = schema.get(keyword)
            pending += [(f"{place}.{keyword}", part) for part in (held if isinstance(held, list) else [held])]


def references(document: object) -> Iterator[tuple[str, str]]:
    """Return every reference in *document*, with what it stands in."""
    if isinstance(document, list):
        for it in document:
            yield from references(it)
    elif isinstance(document, dict):
        if isinstance(document.get("$ref"), str):
            yield str(document), document["$ref"]
        for it in document.values():
            yield from references(it)


def found(document: Any, reference: str) -> object:
    """Return what *reference* names in *document*, or None."""
    for step in reference.removeprefix("#/").split("/"):
        if step not in document:
            return None
        document = document[step]
    return document
