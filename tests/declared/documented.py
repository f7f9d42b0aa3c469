"""An app whose bodies are of many types, and the AsyncAPI document of it."""

import enum
from decimal import Decimal
from typing import Annotated, Any, Generic, TypedDict, TypeVar

import msgspec

from streamapp.app import App
from streamapp_codecs import Json

T = TypeVar("T")


class Colour(enum.Enum):
    """A colour."""

    RED = "red"
    GREEN = "green"


class Made(msgspec.Struct, tag="made"):
    """A thing was made."""

    key: str
    colour: Colour | None = None


class Moved(msgspec.Struct, tag="moved"):
    """A thing was moved."""

    key: str
    to: tuple[int, int] = (0, 0)


class Counted(msgspec.Struct, tag=3):
    """Things were counted."""

    counts: dict[str, int | Decimal]


class Tree(msgspec.Struct):
    """A tree."""

    name: str
    children: "list[Tree]" = []


class Page(msgspec.Struct, Generic[T], tag="page"):
    """A page of things."""

    rows: list[T]


class Size(TypedDict):
    """How big a thing is."""

    width: float


class Other:
    """Holds a type whose name another has."""

    class Made(msgspec.Struct, tag="made"):
        """Another thing was made."""

        number: int


class Foreign:
    """A type that only its codec knows."""


BODIES: dict[str, tuple[Any, set[str]]] = {
    "one": (Made, {"made"}),
    "union": (Made | Moved, {"made", "moved"}),
    "number": (Counted, {"3"}),
    "none": (Moved | None, {"moved", "null"}),
    "list": (list[Made | Moved], {"list_Made_Moved"}),
    "dict": (dict[str, Made | None], {"dict_str_Made_None"}),
    "plain": (dict, {"dict"}),
    "text": (str | int, {"str", "int"}),
    "tree": (Tree, {"Tree"}),
    "tree-or-made": (Tree | None, {"Tree", "null"}),
    "generic": (Page[Made], {"page"}),
    "generic-union": (Page[Made | Moved] | Moved, {"page", "moved"}),
    "colour": (Colour, {"Colour"}),
    "size": (Size, {"Size"}),
    "annotated": (Annotated[Made, msgspec.Meta(title="An item")], {"made"}),
    "any": (Any, {"Any"}),
    "foreign": (Foreign, {"Foreign"}),
}
"""By a name: the type of a body, and the kinds of its messages."""


def app_of(*bodies: object) -> App:
    """Return an app with a queue for each type of *bodies*: `things-0`, and so on."""
    app = App("documented")

    async def things(stream: object) -> None:
        """Do nothing."""

    for number, body in enumerate(bodies):
        app.agent(f"things-{number}", Json(body), name=f"agent-{number}")(things)  # type: ignore[arg-type, var-annotated]
    return app
