"""Which dead letters are meant."""

from collections.abc import Iterable
from dataclasses import dataclass

from streamapp.cli.dlq.dead_letters import HeldLetter


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """The reason and kind of the letters, and the beginning of their ids; None is any."""

    reason: str | None = None
    kind: str | None = None
    identity: str | None = None

    def among(self, letters: Iterable[HeldLetter]) -> list[HeldLetter]:
        """Return those of *letters* that match, oldest first."""
        found = [
            letter
            for letter in letters
            if self.reason in {None, letter.reason}
            and self.kind in {None, letter.kind}
            and letter.delivery.message_id.startswith(self.identity or "")
        ]
        return sorted(found, key=lambda letter: letter.delivery.sent_at)
