"""The story of one key, out of its state and its tap records."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamapp.observe.tap_record import TapRecord
    from streamapp.state.announcement import Announcement


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one key: its hash, what that owes to the outside, and what viewers were told of it.

    *place* is where its hash lives, *refused* are announcements which SQS refused for good.
    """

    key: str
    place: str
    fields: "Mapping[str, str]"
    pending: "Sequence[Announcement]"
    refused: "Sequence[Announcement]"
    events: "Sequence[TapRecord]"

    @property
    def state(self) -> dict[str, str]:
        """The fields that are no bookkeeping."""
        return {name: text for name, text in self.fields.items() if not name.startswith("_")}
