"""What comes between the tap and the screen: counted, held while paused, sampled where a terminal could not follow."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len

from streamapp.observe.tap_record import TapRecord

MOST = 500
"""Lines a second that a terminal is shown: nobody reads more, and it would lag behind."""

HELD = 10_000
"""Records that a pause holds; as many as a queue's tap keeps."""

RATE_OVER = 5.0
"""Seconds over which the rate is taken."""


@dataclass(slots=True)
class Counts:
    """What has come, whether it was shown or not."""

    words: Counter[str] = field(default_factory=Counter[str])
    recent: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])

    def add(self, records: Sequence[TapRecord], now: float) -> None:
        """Count *records*, which came now."""
        self.words.update(record.outcome for record in records)
        self.recent.append((now, len(records)))
        while self.recent and self.recent[0][0] < now - RATE_OVER:
            self.recent.popleft()

    def rate(self, now: float) -> float:
        """Return how many came a second of late."""
        return sum(number for at, number in self.recent if at >= now - RATE_OVER) / RATE_OVER


class Flow:
    """Takes what comes and answers what is to be shown of it; with *samples*, no more than `MOST` a second."""

    def __init__(self, *, samples: bool) -> None:
        self.counts = Counts()
        self.is_paused = False
        self._samples = samples
        self._held: deque[TapRecord] = deque(maxlen=HELD)
        self._left_out = 0
        self._budget = float(MOST)
        self._budget_at = time.monotonic()

    def take(self, wanted: list[TapRecord]) -> list[TapRecord]:
        """Return what of *wanted* is shown now."""
        if self.is_paused:
            self._left_out += max(0, len(self._held) + len(wanted) - HELD)
            self._held.extend(wanted)
            return []
        return self._sampled(wanted) if self._samples else wanted

    def toggle(self) -> list[TapRecord]:
        """Pause, or go on; answer what was held."""
        self.is_paused = not self.is_paused
        held, self._held = list(self._held), deque(maxlen=HELD)
        return held

    def note(self) -> str | None:
        """Return how many were left out since it was last asked, None for none."""
        if not self._left_out or self.is_paused:
            return None
        left_out, self._left_out = self._left_out, 0
        return f"… {left_out:,} not shown (over {MOST}/s; pipe or -o json to get all)"

    def bar(self, what: str, depths: Sequence[str], width: int) -> str:
        """Return the status bar: *what* is followed, the *depths* of its queues; what tells least gives way first."""
        if self.is_paused:
            return f"PAUSED  {len(self._held):,} held  ·  space resume   q quit"
        words = self.counts.words
        rate = f"{self.counts.rate(time.monotonic()):.0f}/s"
        counts = [
            f"ok {words['ok'] + words['duplicate'] + words['skipped']:,}",
            f"retry {words['retry']:,}",
            f"dead {words['dead'] + words['invalid']:,}",
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

    def _sampled(self, records: list[TapRecord]) -> list[TapRecord]:
        now = time.monotonic()
        self._budget = min(float(MOST), self._budget + (now - self._budget_at) * MOST)
        self._budget_at = now
        most = int(self._budget)
        self._left_out += max(0, len(records) - most)
        self._budget -= min(most, len(records))
        return records[:most]
