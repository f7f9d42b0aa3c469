"""How many items a batch may still wait for."""

import math


class Company:
    """The number of items that are still *expected*: infinite where it is not known.

    A batch that has all of them waits for no more. Parts of a pipeline share one, and keep its number.
    """

    __slots__ = ("expected",)

    def __init__(self, expected: float = math.inf) -> None:
        self.expected = expected
