"""What an app may declare for people beside its agents: boards, pages, traffic, examples, settings of its own.

    app = App("orders", extras=Extras(boards=[kitchen], portrait=order, settings=[START]))

Every type that `Extras` takes is a name of this module.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamapp.config import Setting
from streamapp.declared.boards import Board, Card, Portrait, Website, Words
from streamapp.declared.traffic import Example, Scenario, ScenarioMessage, Traffic

__all__ = [
    "Board",
    "Card",
    "Example",
    "Extras",
    "Portrait",
    "Scenario",
    "ScenarioMessage",
    "Setting",
    "Traffic",
    "Website",
    "Words",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What the commands for people show of an app; an app without extras works all the same.

    *scenario* makes up traffic, for `seed` and `demo`. *boards* are live views for `board`; `demo` shows the first
    one while it runs. *website* serves boards as pages of a worker that serves HTTP. *portrait* is what `show`
    tells of one key. *examples* are events to try, for `send`. *settings* are environment variables of the app's
    own, for `config`.
    """

    scenario: Callable[[Traffic], Scenario] | None = None
    boards: Sequence[Board] = ()
    website: Website | None = None
    portrait: Portrait | None = None
    examples: Sequence[Example] = ()
    settings: Sequence[Setting] = ()
