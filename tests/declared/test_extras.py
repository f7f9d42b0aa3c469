"""What an app declares for people."""

import typing
from collections.abc import Iterator

from streamapp.declared import extras
from streamapp.declared.extras import Extras


def types_in(hint: object) -> Iterator[type]:
    """Return the classes of streamapp that a type hint is made of."""
    for part in typing.get_args(hint):
        for it in part if isinstance(part, list) else [part]:
            yield from types_in(it)
    if isinstance(hint, type) and hint.__module__.startswith("streamapp."):
        yield hint


def test_each_type_that_extras_take_is_a_name_of_the_same_module() -> None:
    """An application imports all that it needs from one public place."""
    taken = {it.__name__ for hint in typing.get_type_hints(Extras).values() for it in types_in(hint)}

    assert {"Board", "Scenario", "Setting", "Traffic"} <= taken <= set(extras.__all__)


def test_an_app_without_extras_has_nothing_to_show() -> None:
    """The commands for people then leave that part out."""
    none = Extras()

    assert not any([none.scenario, none.boards, none.website, none.portrait, none.examples, none.settings])
