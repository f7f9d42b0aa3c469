"""What goes wrong between a producer and a queue: repetition, disorder, and messages that nobody can read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from random import Random

from streamapp_agents.simulador.message import Message

_REACH = 40.0
"""How many places a message may be moved: some minutes of a busy lunch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """How much goes wrong, as fractions of the number of messages."""

    duplicates: float
    reorder: float
    invalid: float


def damaged(
    luck: Random, messages: Sequence[Message], bad: Callable[[int], Iterator[Message]], damage: Damage
) -> Iterator[Message]:
    """Return *messages* with some moved, some repeated, and bad ones between them.

    *bad* is called with how many messages must be invalid, and returns all that are to be mixed in.
    """
    total = len(messages)
    places = _moved(luck, messages, _share(damage.reorder, total))
    places += _repeated(luck, places, _share(damage.duplicates, total))
    for message in bad(_share(damage.invalid, total)):
        places.append((luck.uniform(0, total), message))
    # Sorting is stable, so equal places stay as they were made.
    yield from (message for _, message in sorted(places, key=lambda place: place[0]))


def _share(fraction: float, total: int) -> int:
    # At least one where any is asked for, so that a short run shows it too.
    return min(total, ceil(fraction * total))


def _moved(luck: Random, messages: Sequence[Message], count: int) -> list[tuple[float, Message]]:
    places = [(float(place), message) for place, message in enumerate(messages)]
    for place in luck.sample(range(len(messages)), count):
        step = luck.choice((-1, 1)) * luck.uniform(1.5, _REACH)
        places[place] = (place + step, replace(messages[place], moved=True))
    return places


def _repeated(
    luck: Random, places: Sequence[tuple[float, Message]], count: int
) -> list[tuple[float, Message]]:
    return [
        (place + luck.uniform(0, _REACH), replace(message, repeated=True, moved=False))
        for place, message in luck.sample(places, count)
    ]
