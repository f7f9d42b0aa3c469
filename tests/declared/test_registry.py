"""All that one app declares."""

from typing import Any

import pytest

from rigs.worker import Add, Count, Note, add
from streamapp.app import App
from streamapp.declared.registry import DeclaredTwice
from streamapp_codecs import Json


async def working(stream: Any) -> None:
    """Do nothing with each event."""
    async for _ in stream:
        pass


@pytest.fixture
def app() -> App:
    """An app with one of each."""
    app = App("test")
    app.agent("orders", Json(Add), name="one")(working)
    app.table("count", Count, fold=add, to=app.sink("out", Json(Note)))
    return app


def test_declarations_are_found_by_name(app: App) -> None:
    """A sink is named by its queue."""
    assert (list(app.agents), list(app.tables), list(app.sinks)) == (["one"], ["count"], ["out"])


def test_a_queue_has_one_agent(app: App) -> None:
    """Two would each see a part of its messages."""
    with pytest.raises(DeclaredTwice, match="agent of queue 'orders' is declared twice"):
        app.agent("orders", Json(Add), name="two")(working)


@pytest.mark.parametrize(
    "declare",
    [
        lambda app: app.agent("others", Json(Add), name="one")(working),
        lambda app: app.sink("out", Json(Note)),
        lambda app: app.table("count", Count, fold=add),
    ],
    ids=["agent", "sink", "table"],
)
def test_no_name_is_declared_twice(app: App, declare: Any) -> None:
    """Two tables of one name would write into the same hashes."""
    with pytest.raises(DeclaredTwice, match="give the second one another name"):
        declare(app)
