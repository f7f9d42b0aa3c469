"""How long to wait before the next try."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses under a limit that doubles with each failure, from *first* up to *longest* seconds.

    Each pause is anything from 0 to its limit ("full jitter"), so that those who failed together do not come back
    together: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    first: float
    longest: float

    def pause(self, failures: int) -> float:
        """Return the seconds to wait after *failures* in a row (1..)."""
        # 2 ** 30 seconds are 34 years: beyond that a float would overflow, sooner or later.
        return random.uniform(0, min(self.longest, self.first * 2 ** min(failures - 1, 30)))  # noqa: S311 - jitter, not a secret


def spread(seconds: float) -> float:
    """Return *seconds*, give or take a half: those who do the same thing from time to time then do it apart."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
