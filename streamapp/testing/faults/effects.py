"""What can go wrong with a call to SQS."""

from collections.abc import Callable
from dataclasses import dataclass

from streamapp.testing.faults.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Fail:
    """The call is refused with this code and nothing happens; *status* is HTTP's, if not the usual one."""

    code: str = "InternalError"
    message: str = "told to fail"
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Lose:
    """The call takes effect, and its answer never arrives."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Silence until the fault is removed or over, then the call goes on; *took_effect*: after it was done."""

    took_effect: bool = False


@dataclass(frozen=True, slots=True)
class Slow:
    """The call takes this many seconds longer; *took_effect*: after it was done."""

    seconds: float
    took_effect: bool = True


@dataclass(frozen=True, slots=True)
class Partial:
    """Some entries of a batch fail.

    *which* is a bit pattern (bit 0 is the first entry) or a question asked of each position. *took_effect*:
    they are done all the same. *missing*: the answer does not name them at all.
    """

    which: int | Callable[[int], bool]
    code: str = "InternalError"
    sender_fault: bool = False
    took_effect: bool = False
    missing: bool = False

    def refusal(self, position: int) -> Refusal | None:
        """Return why the entry at *position* fails, if it does."""
        fails = self.which(position) if callable(self.which) else bool(self.which >> position & 1)
        if not fails:
            return None
        code = MISSING if self.missing else self.code
        return Refusal(code, "told to fail", sender_fault=self.sender_fault)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Each message that the call receives or sends exists once more, visible *after* seconds from now.

    The copy has the same id, but its own receipt handle and delete, as when a replica missed the delete.
    """

    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Reorder:
    """A receive from a standard queue takes any messages, not the oldest."""


@dataclass(frozen=True, slots=True)
class Delay:
    """What is sent becomes visible only after between *least* and *most* seconds."""

    least: float
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset; *took_effect*: after the call was done."""

    took_effect: bool = True


@dataclass(frozen=True, slots=True)
class Garble:
    """The answer comes with this body in place of its own; empty is a body too."""

    body: bytes = b"<html>Bad Gateway</html>"
    status: int = 200
    took_effect: bool = True


@dataclass(frozen=True, slots=True)
class Drip:
    """The answer comes byte by byte, this many seconds apart."""

    seconds: float = 1.0


Effect = Fail | Lose | Hang | Slow | Partial | Duplicate | Reorder | Delay | Reset | Garble | Drip

MISSING = "MissingFromAnswer"
"""The code of an entry that the answer does not name; it never goes over the wire."""
