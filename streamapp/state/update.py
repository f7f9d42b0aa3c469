"""What one update did to one key."""

import msgspec

from streamapp.state.committer import Changed


class Update(msgspec.Struct, frozen=True):
    """What one update with *event* did to one key of a table.

    In a batch *message_id* is the message that holds the event; "" where that is none, or several.
    """

    table: str
    key: str
    event: object
    changed: Changed
    message_id: str = ""
