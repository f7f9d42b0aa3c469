"""Commands in one write, and their answers, on one of the Redis client's connections.

The client's own pipeline answers the same. It costs three times as much: a task for each write and a timer for each
answer, where one timer does for all.
"""

from collections.abc import Sequence
from typing import Any

import hiredis
from anyio import move_on_after
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from streamapp.redis.topology import Command

_pack: Any = hiredis.pack_command  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # its own types know commands of one word only


async def exchange(client: Any, commands: Sequence[Command], within: float) -> list[Any]:  # noqa: ANN401 - untyped
    """Return each command's answer, or the `ResponseError` that is its own, *within* so many seconds.

    Raises `RedisError` where the connection failed. One that was cut off halfway is closed by the client.
    """
    pool = client.connection_pool
    connection = pool.get_available_connection()
    answers: list[Any] = []
    try:
        await pool.ensure_connection(connection)
        with move_on_after(within) as scope:
            await connection.send_packed_command(b"".join(map(_packed, commands)))
            for command in commands:
                try:
                    answers.append(await client.parse_response(connection, command[0]))
                except ResponseError as error:
                    answers.append(error)
    finally:
        await pool.release(connection)
    if scope.cancelled_caught:
        raise RedisTimeoutError(f"no answer within {within:g} s")
    return answers


async def greet(connection: Any, within: float) -> None:  # noqa: ANN401 - untyped
    """Make a new connection ready for commands *within* so many seconds. Raises `RedisError`."""
    with move_on_after(within) as scope:
        await connection.on_connect()
    if scope.cancelled_caught:
        raise RedisTimeoutError(f"no greeting within {within:g} s")


def _packed(command: Command) -> bytes:
    # Redis takes `CLUSTER SLOTS` for one unknown word.
    words = str(command[0]).split()
    packed: bytes = _pack((*words, *command[1:]) if len(words) > 1 else command)
    return packed
