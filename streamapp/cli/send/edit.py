"""Set members of a JSON message by their path: `data.produtos.0.quantidade=2`."""

import json
from collections.abc import Sequence
from typing import cast

from streamapp.errors import ConfigError


class BadEdit(ConfigError):
    """An edit of `--set` is not possible."""

    def __init__(self, edit: str, why: str) -> None:
        super().__init__(f"--set {edit!r}: {why}; expected path=value, such as data.id_pedido=42")


def edited(body: str, edits: Sequence[str]) -> str:
    """Return *body* with each edit made. A value that is not JSON is text."""
    if not edits:
        return body
    try:
        return _edited(body, edits)
    except RecursionError as error:
        raise BadEdit(f"{edits[0].partition('=')[0]}=…", "it, or the message, is nested too deep") from error


def _edited(body: str, edits: Sequence[str]) -> str:
    try:
        value: object = json.loads(body)
    except ValueError as error:
        raise BadEdit(edits[0], "the message is not JSON") from error
    for edit in edits:
        path, equals, text = edit.partition("=")
        if not path or not equals:
            raise BadEdit(edit, "there is no path or no value")
        _put(value, path.split("."), _read(text), edit)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _put(value: object, path: Sequence[str], member: object, edit: str) -> None:
    """Put *member* at *path*. Missing objects on the way are created; list entries must exist."""
    name, *rest = path
    if isinstance(value, list):
        entries = cast("list[object]", value)
        if not name.isdecimal() or int(name) >= len(entries):
            raise BadEdit(edit, f"{name!r} is no entry of a list of {len(entries)}")
        if rest:
            _put(entries[int(name)], rest, member, edit)
        else:
            entries[int(name)] = member
    elif isinstance(value, dict):
        members = cast("dict[str, object]", value)
        if rest:
            _put(members.setdefault(name, {}), rest, member, edit)
        else:
            members[name] = member
    else:
        raise BadEdit(edit, f"{name!r} cannot be in a value that is neither an object nor a list")
