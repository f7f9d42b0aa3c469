"""A rate-limited log: what fails many times a second is one line now and then, with the number of repetitions."""

import logging
from collections import OrderedDict
from dataclasses import dataclass

from anyio import current_time

QUIET = 10.0
"""Seconds between two lines about one cause: often enough to see that it lasts, without a flood."""

CAUSES = 100
"""Causes remembered; an error text of a server may be different each time."""


@dataclass(slots=True)
class _Logged:
    at: float
    suppressed: int = 0


class QuietLog:
    """Logs each cause at most every `QUIET` seconds, and with the next line how often it was repeated meanwhile."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._logged: OrderedDict[tuple[str, str], _Logged] = OrderedDict()

    def log(self, level: int, sentence: str, cause: str, **about: object) -> None:
        """Log *sentence* with the fields *about*, unless it was just logged for the same *cause*."""
        logged = self._logged.get((sentence, cause))
        now = current_time()
        if logged is not None and now - logged.at < QUIET:
            logged.suppressed += 1
            return
        if logged is not None and logged.suppressed:
            about["repeated"] = logged.suppressed
        self._logged[sentence, cause] = _Logged(now)
        if len(self._logged) > CAUSES:
            self._logged.popitem(last=False)
        self._logger.log(level, sentence, extra=about)
