"""Say the same thing once in a while: what goes wrong many times a second is one line, with its number."""

import logging
from collections import OrderedDict
from dataclasses import dataclass

from anyio import current_time

QUIET = 10.0
"""Seconds between two lines about one cause: enough to see that it lasts, and no flood."""

CAUSES = 100
"""Causes remembered; what a server says of itself may be a new text each time."""


@dataclass(slots=True)
class _Said:
    at: float
    kept_back: int = 0


class QuietLog:
    """A logger that says each cause at most every ten seconds, and then how often it was there meanwhile."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._said: OrderedDict[tuple[str, str], _Said] = OrderedDict()

    def log(self, level: int, sentence: str, cause: str, **about: object) -> None:
        """Say *sentence* and what is *about* it, unless it was just said for the same *cause*."""
        said = self._said.get((sentence, cause))
        now = current_time()
        if said is not None and now - said.at < QUIET:
            said.kept_back += 1
            return
        if said is not None and said.kept_back:
            about["repeated"] = said.kept_back
        self._said[sentence, cause] = _Said(now)
        if len(self._said) > CAUSES:
            self._said.popitem(last=False)
        self._logger.log(level, sentence, extra=about)
