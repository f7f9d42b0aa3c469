"""How many items a batch may still wait for."""

import math


class ExpectedItems:
    """The number of items that are still *expected*; infinite if that is not known.

    A batch that holds all of them does not wait for more. The parts that know the number keep it up to date.
    """

    __slots__ = ("expected",)

    def __init__(self, expected: float = math.inf) -> None:
        self.expected = expected
