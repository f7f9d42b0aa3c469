"""What an app reads and writes, for its neighbours: JSON Schemas, and an AsyncAPI document made of them."""

from collections.abc import Iterable
from importlib import metadata
from inspect import cleandoc
from typing import Any

import msgspec

from streamapp.config import Config
from streamapp.declared.registry import Registry
from streamapp.sqs.names import queue_name

ASYNCAPI = "3.1.0"
"""The version of the specification that the document keeps."""

BINDING = "0.2.0"
"""The version of the SQS binding: the newest that the official parser takes."""

_REF = "#/components/schemas/{name}"


def wire_types(codec: object) -> tuple[type, ...]:
    """Return the types whose JSON *codec* reads or writes; none if the codec does not declare them."""
    return tuple(getattr(codec, "wire", ()))


def json_schemas(registry: Registry) -> dict[str, Any]:
    """Return a JSON Schema (2020-12) of each message by its kind or, without one, by the name of its type."""
    return {
        _kind(of): {"$schema": "https://json-schema.org/draft/2020-12/schema"} | _schema(of)
        for codec in _codecs(registry)
        for of in wire_types(codec)
    }


def asyncapi(registry: Registry, config: Config) -> dict[str, Any]:
    """Return the AsyncAPI document of *registry*: a channel a queue, what is received, and what is sent."""
    reads = {agent.queue: wire_types(agent.codec) for agent in registry.agents.values()}
    writes = {queue: wire_types(sink.codec) for queue, sink in registry.sinks.items()}
    components = _components([of for types in (*reads.values(), *writes.values()) for of in types], _REF)
    return {
        "asyncapi": ASYNCAPI,
        "info": {"title": registry.name, "version": metadata.version("streamapp")},
        "defaultContentType": "application/json",
        "channels": {
            queue: {
                "address": config.queue(queue),
                "messages": {_kind(of): {"$ref": f"#/components/messages/{_kind(of)}"} for of in types},
                "bindings": {"sqs": _binding(config.queue(queue))},
            }
            for queue, types in (reads | writes).items()
        },
        "operations": {
            **{
                agent.name: _operation("receive", agent.queue, reads[agent.queue])
                for agent in registry.agents.values()
            },
            **{f"send-{queue}": _operation("send", queue, types) for queue, types in writes.items()},
        },
        "components": {
            "messages": {
                _kind(of): {"name": _kind(of), "payload": {"$ref": _REF.format(name=of.__name__)}}
                for types in (*reads.values(), *writes.values())
                for of in types
            },
            "schemas": components,
        },
    }


def _codecs(registry: Registry) -> Iterable[object]:
    yield from (agent.codec for agent in registry.agents.values())
    yield from (sink.codec for sink in registry.sinks.values())


def _schema(of: type) -> dict[str, Any]:
    definitions = _components([of], "#/$defs/{name}")
    schema: dict[str, Any] = definitions.pop(of.__name__)
    return schema | {"$defs": definitions}


def _components(types: list[type], template: str) -> dict[str, Any]:
    """Return the schemas of *types* and of all that they hold, by name; a docstring is their description."""
    _, components = msgspec.json.schema_components(types, ref_template=template)
    for schema in components.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    return components


def _kind(of: type) -> str:
    tag = getattr(of, "__struct_config__", None)
    return str(tag.tag) if tag is not None and tag.tag is not None else of.__name__


def _operation(action: str, queue: str, types: tuple[type, ...]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{queue}"},
        "messages": [{"$ref": f"#/channels/{queue}/messages/{_kind(of)}"} for of in types],
    }


def _binding(queue: str) -> dict[str, Any]:
    name = queue_name(queue)
    return {"queue": {"name": name, "fifoQueue": name.endswith(".fifo")}, "bindingVersion": BINDING}
