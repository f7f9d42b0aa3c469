"""Which letters are meant."""

from collections.abc import Iterable
from dataclasses import dataclass

from streamapp.cli.dlq.box import Letter


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a letter must be like; None is any."""

    reason: str | None = None
    kind: str | None = None
    identity: str | None = None

    def among(self, letters: Iterable[Letter]) -> list[Letter]:
        """Return those of *letters* that are meant, oldest first."""
        found = [
            letter
            for letter in letters
            if self.reason in {None, letter.reason}
            and self.kind in {None, letter.kind}
            and letter.delivery.message_id.startswith(self.identity or "")
        ]
        return sorted(found, key=lambda letter: letter.delivery.sent_at)
