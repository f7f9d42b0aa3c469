"""The messages that a shop is sent: rushes, each two hours after the one before, and the state that they must leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import streamapp_agents
from streamapp.declared.traffic import Scenario, Traffic

BEGINS = datetime(2025, 1, 1, tzinfo=UTC)
DIRT = {"duplicates": 0.1, "reorder": 0.2, "invalid": 0.03}


@dataclass(slots=True)
class Rushes:
    """Makes rushes of *orders* orders each, and keeps the state that they must leave together.

    One rush in *catalogue* sends the catalogue again, which re-estimates all orders of the days before.
    """

    orders: int
    catalogue: int = 1
    dirt: Mapping[str, float] = field(default_factory=lambda: dict(DIRT))
    made: int = 0
    expected: dict[str, dict[str, Mapping[str, str | None]]] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)

    def next(self) -> Scenario:
        """Return the next rush."""
        scenario = streamapp_agents.app.extras.scenario
        assert scenario is not None
        begins = BEGINS + self.made * timedelta(hours=2)
        rush = scenario(Traffic(subjects=self.orders, seed=self.made, begins=begins, **self.dirt))
        if self.made % self.catalogue:
            rush = replace(
                rush,
                messages=[message for message in rush.messages if message.queue != "produto-events"],
                expected={table: keys for table, keys in rush.expected.items() if table != "produto"},
            )
        self.made += 1
        for table, keys in rush.expected.items():
            # The catalogue is the same in each rush except for its time: the last one holds.
            self.expected.setdefault(table, {}).update(keys)
        self.dead += [message.body for message in rush.messages if message.must_die]
        return rush
