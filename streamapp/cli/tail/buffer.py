"""What lies between the tap and the screen: records are counted, held during a pause, and limited on a terminal."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len

from streamapp.observe.tap_record import TapRecord

MAX_RATE = 500
"""Records a second that a terminal is shown. Nobody reads more, and the terminal would fall behind."""

MAX_HELD = 10_000
"""Records that a pause holds: as many as the tap of a queue keeps."""

RATE_OVER = 5.0
"""Seconds over which the rate is measured."""


@dataclass(slots=True)
class RecordCounts:
    """Counts of all records that came, shown or not."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    recent: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])

    def add(self, records: Sequence[TapRecord], now: float) -> None:
        """Count *records*, which came at *now*."""
        self.outcomes.update(record.outcome for record in records)
        self.recent.append((now, len(records)))
        while self.recent and self.recent[0][0] < now - RATE_OVER:
            self.recent.popleft()

    def rate(self, now: float) -> float:
        """Return how many records came a second, over the last `RATE_OVER` seconds."""
        return sum(number for at, number in self.recent if at >= now - RATE_OVER) / RATE_OVER


class RecordBuffer:
    """Takes the records that come, and returns those to show. If *limited*, that is at most `MAX_RATE` a second."""

    def __init__(self, *, limited: bool) -> None:
        self.counts = RecordCounts()
        self.is_paused = False
        self._limited = limited
        self._held: deque[TapRecord] = deque(maxlen=MAX_HELD)
        self._left_out = 0
        self._budget = float(MAX_RATE)
        self._budget_at = time.monotonic()

    def take(self, records: list[TapRecord]) -> list[TapRecord]:
        """Return those of *records* that are shown now."""
        if self.is_paused:
            self._left_out += max(0, len(self._held) + len(records) - MAX_HELD)
            self._held.extend(records)
            return []
        return self._within_budget(records) if self._limited else records

    def toggle(self) -> list[TapRecord]:
        """Pause or continue; return the records that were held."""
        self.is_paused = not self.is_paused
        held, self._held = list(self._held), deque(maxlen=MAX_HELD)
        return held

    def note(self) -> str | None:
        """Return how many records were left out since the last call; None for none."""
        if not self._left_out or self.is_paused:
            return None
        left_out, self._left_out = self._left_out, 0
        return f"… {left_out:,} not shown (over {MAX_RATE}/s; pipe or -o json to get all)"

    def bar(self, what: str, depths: Sequence[str], width: int) -> str:
        """Return the status bar about *what* is followed. If it is too long for *width*, the least important parts go."""
        if self.is_paused:
            return f"PAUSED  {len(self._held):,} held  ·  space resume   q quit"
        outcomes = self.counts.outcomes
        rate = f"{self.counts.rate(time.monotonic()):.0f}/s"
        counts = [
            f"ok {outcomes['ok'] + outcomes['duplicate'] + outcomes['skipped']:,}",
            f"retry {outcomes['retry']:,}",
            f"dead {outcomes['dead'] + outcomes['invalid']:,}",
        ]
        for parts in (
            [what, *depths, rate, *counts, "·", "space pause", "q quit"],
            [what, *depths, rate, *counts, "·", "q quit"],
            [what, *depths, rate, *counts],
            [what, *depths[:1], *counts],
            [what, *counts],
        ):
            if cell_len("  ".join(parts)) <= width:
                break
        return "  ".join(parts)

    def _within_budget(self, records: list[TapRecord]) -> list[TapRecord]:
        now = time.monotonic()
        self._budget = min(float(MAX_RATE), self._budget + (now - self._budget_at) * MAX_RATE)
        self._budget_at = now
        most = int(self._budget)
        self._left_out += max(0, len(records) - most)
        self._budget -= min(most, len(records))
        return records[:most]
