"""What can go wrong with a call to SQS or to the store."""

from collections.abc import Callable
from dataclasses import dataclass

from streamapp.testing.faults.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Fail:
    """The call is refused with this code and has no effect; *status* is HTTP's, if not the code's usual one."""

    code: str = "InternalError"
    message: str = "told to fail"
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Lose:
    """The call takes effect, and its response never arrives."""


@dataclass(frozen=True, slots=True)
class Hang:
    """The call waits until the fault is removed or over; with *took_effect* it waits after it was done."""

    took_effect: bool = False


@dataclass(frozen=True, slots=True)
class Slow:
    """The call takes this many seconds longer; with *took_effect* they pass after it was done."""

    seconds: float
    took_effect: bool = True


@dataclass(frozen=True, slots=True)
class Partial:
    """Some entries of a batch fail.

    *which* is a bit pattern (bit 0 is the first entry) or a predicate of the position. With *took_effect* they are
    done all the same. With *missing* the response does not name them at all.
    """

    which: int | Callable[[int], bool]
    code: str = "InternalError"
    sender_fault: bool = False
    took_effect: bool = False
    missing: bool = False

    def refusal(self, position: int) -> Refusal | None:
        """Return the refusal of the entry at *position*, None if it does not fail."""
        fails = self.which(position) if callable(self.which) else bool(self.which >> position & 1)
        if not fails:
            return None
        code = MISSING if self.missing else self.code
        return Refusal(code, "told to fail", sender_fault=self.sender_fault)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Each message that the call receives or sends gets a copy, visible *after* seconds from now.

    The copy has the same id and a receipt handle of its own, as when one of SQS's servers misses a delete.
    """

    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Reorder:
    """A receive from a standard queue returns random messages, not the oldest."""


@dataclass(frozen=True, slots=True)
class Delay:
    """What is sent becomes visible only after *least* to *most* seconds."""

    least: float
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset; with *took_effect* after the call was done."""

    took_effect: bool = True


@dataclass(frozen=True, slots=True)
class Garble:
    """The response has this body in place of its own; it may be empty."""

    body: bytes = b"<html>Bad Gateway</html>"
    status: int = 200
    took_effect: bool = True


@dataclass(frozen=True, slots=True)
class Drip:
    """The response comes byte by byte, this many seconds apart."""

    seconds: float = 1.0


Effect = Fail | Lose | Hang | Slow | Partial | Duplicate | Reorder | Delay | Reset | Garble | Drip

MISSING = "MissingFromAnswer"
"""The code of an entry that the response does not name; it never goes over the wire."""
