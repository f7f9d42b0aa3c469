"""A rate-limited log: what fails many times a second is one line now and then, with the number of repetitions."""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakSet

from anyio import current_time

QUIET = 10.0
"""Seconds between two lines about one cause: often enough to see that it lasts, without a flood."""

CAUSES = 100
"""Causes remembered; an error text of a server may be different each time."""


@dataclass(slots=True)
class _Logged:
    at: float
    level: int
    about: dict[str, object]
    suppressed: int = 0


class QuietLog:
    """Logs each cause at most every `QUIET` seconds, and how often it was repeated meanwhile.

    That is told with its next line, or when `log_repetitions` is called.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._logged: OrderedDict[tuple[str, str], _Logged] = OrderedDict()
        _all.add(self)

    def log(
        self, level: int, sentence: str, cause: str, error: BaseException | None = None, /, **about: object
    ) -> None:
        """Log *sentence* with *error* and the fields *about*, unless it was just logged for the same *cause*."""
        logged = self._logged.get((sentence, cause))
        now = current_time()
        if logged is not None and now - logged.at < QUIET:
            logged.suppressed += 1
            logged.about = about
            return
        repeated = logged.suppressed if logged is not None else 0
        self._logged[sentence, cause] = _Logged(now, level, about)
        if len(self._logged) > CAUSES:
            (forgotten, _), left = self._logged.popitem(last=False)
            self._log_repeated(forgotten, left)
        extra = {**about, "repeated": repeated} if repeated else about
        self._logger.log(level, sentence, extra=extra, exc_info=error)

    def log_repetitions(self, *, at_once: bool = False) -> None:
        """Log how often causes were repeated that have not come again for `QUIET` seconds, or, *at_once*, of any."""
        now = current_time()
        for (sentence, _), logged in self._logged.items():
            if at_once or now - logged.at >= QUIET:
                self._log_repeated(sentence, logged)

    def _log_repeated(self, sentence: str, logged: _Logged) -> None:
        if logged.suppressed:
            self._logger.log(logged.level, sentence, extra={**logged.about, "repeated": logged.suppressed})
            logged.suppressed = 0


_all: WeakSet[QuietLog] = WeakSet()
"""As the loggers they write to, they belong to the process."""


def log_repetitions(*, at_once: bool = False) -> None:
    """Log the repetitions of all causes that have no line yet, as `QuietLog.log_repetitions` says."""
    for quiet_log in list(_all):
        quiet_log.log_repetitions(at_once=at_once)
