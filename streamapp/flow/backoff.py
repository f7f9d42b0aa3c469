"""How long to wait before the next try."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses under a limit that doubles with each failure, from *first* up to *longest* seconds.

    Each pause is a random time from 0 to its limit ("full jitter"), so that callers that failed together do not try
    again together: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    first: float
    longest: float

    def pause(self, failures: int) -> float:
        """Return the seconds to wait after *failures* in a row (1..)."""
        # 2 ** 30 seconds are 34 years. Without a limit the number would overflow a float at some time.
        return random.uniform(0, min(self.longest, self.first * 2 ** min(failures - 1, 30)))  # noqa: S311 - jitter, not a secret


def spread(seconds: float) -> float:
    """Return between a half and one and a half of *seconds*, so that workers do not do the same thing at the same time."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
