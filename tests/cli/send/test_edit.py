"""`send --set` changes members of a message."""

import json

import pytest

from streamapp.cli.send.edit import BadEdit, edited


def test_an_edit_makes_objects_on_its_way_and_changes_list_entries() -> None:
    """A path has the form that a refusal shows."""
    body = '{"a":{"b":[1,{"c":2}]}}'

    assert json.loads(edited(body, ["a.b.1.c=3", "a.d.e=text", 'x="42"', "y=null"])) == {
        "a": {"b": [1, {"c": 3}], "d": {"e": "text"}},
        "x": "42",
        "y": None,
    }
    assert edited(body, []) is body
    for wrong in ("a.b.7=1", "a.b.x=1", "a.b.0.c=1", "=1"):
        with pytest.raises(BadEdit):
            edited(body, [wrong])
