"""What is stored for one key."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamapp.observe.tap_record import TapRecord
    from streamapp.state.announcement import Announcement


@dataclass(frozen=True, slots=True)
class Story:
    """The hash of one key, the announcements that wait in it, and its tap records.

    *redis_key* is where the hash is stored. *refused* are announcements that SQS refused for good.
    """

    key: str
    redis_key: str
    fields: "Mapping[str, str]"
    pending: "Sequence[Announcement]"
    refused: "Sequence[Announcement]"
    events: "Sequence[TapRecord]"

    @property
    def state(self) -> dict[str, str]:
        """The fields of the domain, without bookkeeping."""
        return {name: text for name, text in self.fields.items() if not name.startswith("_")}
