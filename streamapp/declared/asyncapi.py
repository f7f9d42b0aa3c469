"""What an app reads and writes, for its neighbours: JSON Schemas, and an AsyncAPI document made of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from streamapp.config import Config
from streamapp.declared.registry import Registry
from streamapp.declared.schemas import draft_07, schemas
from streamapp.sqs.names import queue_name

ASYNCAPI = "3.0.0"
"""The version of the specification that the document keeps: the newest that its official generators read."""

BINDING = "0.2.0"
"""The version of the SQS binding: the newest that the official parser takes."""


def wire_types(codec: object) -> tuple[Any, ...]:
    """Return the types whose JSON *codec* reads or writes; none if the codec does not declare them."""
    return tuple(getattr(codec, "wire", ()))


def json_schemas(registry: Registry) -> dict[str, Any]:
    """Return a JSON Schema (2020-12) of each message by its kind.

    A kind is the tag of a struct or, without one, the name of its type. Each member of a union has its own.
    """
    return {
        message.kind: {"$schema": "https://json-schema.org/draft/2020-12/schema"} | _schema(message)
        for messages in _messages(registry).values()
        for message in messages
    }


def asyncapi(registry: Registry, config: Config) -> dict[str, Any]:
    """Return the AsyncAPI document of *registry*: a channel a queue, what is received, and what is sent.

    Every schema in it has a title, so that a generator of code has a name for each.
    """
    messages = _messages(registry)
    all_messages = [message for of_queue in messages.values() for message in of_queue]
    payloads, components = schemas([(it.kind, it.of) for it in all_messages], "#/components/schemas/{name}")
    return {
        "asyncapi": ASYNCAPI,
        "info": {"title": registry.name, "version": metadata.version("streamapp")},
        "defaultContentType": "application/json",
        "channels": {
            queue: {
                "address": config.queue(queue),
                "messages": {it.kind: {"$ref": f"#/components/messages/{it.kind}"} for it in of_queue},
                "bindings": {"sqs": _binding(config.queue(queue))},
            }
            for queue, of_queue in messages.items()
        },
        "operations": {
            **{
                agent.name: _operation("receive", agent.queue, messages[agent.queue])
                for agent in registry.agents.values()
            },
            **{f"send-{queue}": _operation("send", queue, messages[queue]) for queue in registry.sinks},
        },
        "components": {
            "messages": {
                message.kind: {"name": message.kind, "payload": draft_07(payload)}
                for message, payload in zip(all_messages, payloads, strict=True)
            },
            "schemas": draft_07(components),
        },
    }


@dataclass(frozen=True, slots=True)
class _Message:
    kind: str
    of: Any
    """The type of its body."""


def _messages(registry: Registry) -> dict[str, list[_Message]]:
    """Return what is in each queue; a kind is the name of one type only."""
    codecs = {agent.queue: agent.codec for agent in registry.agents.values()} | {
        queue: sink.codec for queue, sink in registry.sinks.items()
    }
    types = {
        queue: [it for of in wire_types(codec) for it in _members(of)] for queue, codec in codecs.items()
    }
    named = [(_kind(of), of) for of_queue in types.values() for of in of_queue]

    def message(of: object) -> _Message:
        kind = _kind(of)
        is_shared = any(other != of for name, other in named if name == kind)
        return _Message(f"{kind}.{_word(_full_name(of))}" if is_shared else kind, of)

    return {queue: [message(of) for of in of_queue] for queue, of_queue in types.items()}


def _members(of: Any) -> Iterable[Any]:  # noqa: ANN401 - any type that msgspec reads
    """Return the types that a body of type *of* may have."""
    of = getattr(of, "__value__", of)  # what `type X = ...` names, since Python 3.12
    if get_origin(of) in {Union, UnionType}:
        return [it for member in get_args(of) for it in _members(member)]
    return [of]


def _kind(of: Any) -> str:  # noqa: ANN401
    if get_origin(of) is Annotated:
        return _kind(get_args(of)[0])
    if of in {None, NoneType}:
        return "null"
    config = getattr(get_origin(of) or of, "__struct_config__", None)
    if config is not None and config.tag is not None:
        return _word(str(config.tag))
    # Without the modules: `list[shop.Order]` is `list_Order`.
    return _word(re.sub(r"\w+\.", "", _full_name(of)))


def _full_name(of: Any) -> str:  # noqa: ANN401
    is_plain = isinstance(of, type) and not get_args(of)
    return f"{of.__module__}.{of.__qualname__}" if is_plain else repr(of)


def _word(text: str) -> str:
    """Return *text* in the letters that the name of a component may have."""
    return re.sub(r"[^\w.-]+", "_", text, flags=re.ASCII).strip("_")


def _schema(message: _Message) -> dict[str, Any]:
    (schema,), definitions = schemas([(message.kind, message.of)], "#/$defs/{name}")
    if "$ref" in schema and not _is_recursive(schema["$ref"], definitions):
        schema = definitions.pop(schema["$ref"].removeprefix("#/$defs/"))
    return schema | {"$defs": definitions}


def _is_recursive(reference: str, definitions: object) -> bool:
    return msgspec.json.encode(reference) in msgspec.json.encode(definitions)


def _operation(action: str, queue: str, messages: list[_Message]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{queue}"},
        "messages": [{"$ref": f"#/channels/{queue}/messages/{message.kind}"} for message in messages],
    }


def _binding(queue: str) -> dict[str, Any]:
    name = queue_name(queue)
    return {"queue": {"name": name, "fifoQueue": name.endswith(".fifo")}, "bindingVersion": BINDING}
