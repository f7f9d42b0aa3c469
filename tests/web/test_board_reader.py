"""Reading a board from the store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from streamapp.declared.boards import Board, Card
from streamapp.errors import Fault, ServiceError
from streamapp.web.board_reader import READ, BoardReader

Hash = dict[str, str] | ServiceError


class Hashes:
    """Hashes in memory, two keys a page; records each *read*."""

    def __init__(self, hashes: Mapping[str, Hash]) -> None:
        self.hashes = dict(hashes)
        self.reads: list[Sequence[str]] = []

    async def keys(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return the next two keys."""
        rest = sorted(key for key in self.hashes if key.startswith(prefix) and key > cursor)
        return rest[:2], rest[1] if len(rest) > 2 else ""

    async def read(self, keys: Sequence[str]) -> list[Hash]:
        """Return the hash of each key."""
        self.reads.append(keys)
        return [self.hashes[key] for key in keys]


BOARD = Board(
    name="kitchen",
    table="order",
    columns=["open", "ready"],
    column_of=lambda fields: fields.get("status"),
    is_over=lambda fields: fields.get("status") == "over",
)


async def columns_of(reader: BoardReader) -> dict[str, list[str]]:
    """Return the keys of the cards in each column."""
    return {name: [card.key for card in cards] for name, cards in (await reader.look()).items()}


async def test_each_hash_is_a_card_in_its_column() -> None:
    """Pages of keys, other tables and hashes in no column must not change the picture."""
    hashes = Hashes(
        {
            "order:1": {"status": "open"},
            "order:2": {"status": "ready"},
            "order:3": {"status": "open"},
            "order:4": {"status": "unknown"},
            "other:5": {"status": "open"},
        }
    )

    assert await columns_of(BoardReader(BOARD, hashes, "order:")) == {"open": ["1", "3"], "ready": ["2"]}


async def test_what_is_over_is_read_once() -> None:
    """A store keeps orders for a month; a board must not read them all four times a second."""
    hashes = Hashes({"order:1": {"status": "over"}, "order:2": {"status": "open"}})
    reader = BoardReader(BOARD, hashes, "order:")
    await reader.look()

    await reader.look()

    assert hashes.reads == [["order:1", "order:2"], ["order:2"]]


async def test_a_key_that_comes_back_after_its_end_is_read_again() -> None:
    """An order that expired and was created again is a new order."""
    hashes = Hashes({"order:1": {"status": "over"}})
    reader = BoardReader(BOARD, hashes, "order:")
    await reader.look()
    del hashes.hashes["order:1"]
    await reader.look()
    hashes.hashes["order:1"] = {"status": "open"}

    assert await columns_of(reader) == {"open": ["1"], "ready": []}


async def test_a_hash_that_cannot_be_read_costs_its_own_card_only() -> None:
    """One key of another type must not empty the board."""
    wrong = ServiceError("Redis", Fault.CONFIGURATION, "WRONGTYPE")
    hashes = Hashes({"order:1": wrong, "order:2": {}, "order:3": {"status": "open"}})

    assert await columns_of(BoardReader(BOARD, hashes, "order:")) == {"open": ["3"], "ready": []}


async def test_the_oldest_card_is_first_and_one_without_an_age_last() -> None:
    """The kitchen works from the top."""
    times = {"1": None, "2": datetime.fromtimestamp(20, UTC), "3": datetime.fromtimestamp(10, UTC)}
    board = Board(
        name="kitchen",
        table="order",
        columns=["open"],
        column_of=lambda _: "open",
        card=lambda key, _: Card(key, since=times[key]),
    )
    hashes = Hashes({f"order:{key}": {"status": "open"} for key in times})

    assert await columns_of(BoardReader(board, hashes, "order:")) == {"open": ["3", "2", "1"]}


async def test_many_hashes_are_read_in_several_round_trips() -> None:
    """A single read of all would hold up Redis for the workers."""
    hashes = Hashes({f"order:{number:04}": {"status": "open"} for number in range(READ + 1)})

    await BoardReader(BOARD, hashes, "order:").look()

    assert [len(keys) for keys in hashes.reads] == [READ, 1]
