"""Work on several messages at once: the Redis commands of all go in one pipeline per step."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from handling import handle

Ask = Callable[[list[tuple[str, ...]]], Awaitable[list[Any]]]


async def process(bodies: Sequence[str], ask: Ask) -> list[str | None]:
    """Return the announcements of each body."""
    said: list[str | None] = [None] * len(bodies)
    going = {n: handle(body) for n, body in enumerate(bodies)}
    answers: dict[int, list[Any] | None] = dict.fromkeys(going)
    while going:
        asked: dict[int, list[tuple[str, ...]]] = {}
        for n, handling in list(going.items()):
            try:
                asked[n] = handling.send(answers[n])  # type: ignore[arg-type]  # None begins it
            except StopIteration as done:
                said[n] = done.value
                del going[n]
        if asked:
            came = iter(await ask([command for commands in asked.values() for command in commands]))
            answers = {n: [next(came) for _ in commands] for n, commands in asked.items()}
    return said
