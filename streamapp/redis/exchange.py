"""Send commands in one write, and read their replies, on one of the Redis client's connections.

The client's own pipeline does the same at three times the cost: a task for each write and a timer for each reply.
Here one timer covers all.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import hiredis
from anyio import move_on_after
from redis.exceptions import BusyLoadingError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from streamapp.redis.topology import Command

CONNECT = 5.0
"""Seconds to make a connection: two Sentinels that hang are passed within it."""

_pack: Any = hiredis.pack_command  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # it is typed for commands of one word only


async def exchange(client: Any, commands: Sequence[Command], within: float) -> list[Any]:  # noqa: ANN401 - untyped
    """Return each command's reply, or its own `ResponseError`, *within* so many seconds once there is a connection.

    Raises `RedisError` if the connection failed. If the exchange is cut off halfway, the client closes the connection.
    A connection that was kept, and that has been closed meanwhile, is made anew.
    """
    pool = client.connection_pool
    connection = pool.get_available_connection()
    was_kept = connection.is_connected
    replies: list[Any] = []
    try:
        try:
            await _exchange_on(client, connection, commands, within, replies)
        except RedisConnectionError as error:
            # Redis, or something on the way, closes connections that are idle: that is no outage. All commands may be
            # repeated, as after any failure.
            if not was_kept or replies or isinstance(error, BusyLoadingError):
                raise
            await connection.disconnect(nowait=True)
            await _exchange_on(client, connection, commands, within, replies)
    finally:
        await pool.release(connection)
    return replies


async def _exchange_on(
    client: Any,  # noqa: ANN401 - untyped
    connection: Any,  # noqa: ANN401 - untyped
    commands: Sequence[Command],
    within: float,
    replies: list[Any],
) -> None:
    """Do what `exchange` does on this *connection*, and append each reply to *replies*."""
    if not connection.is_connected:
        await _connect(connection)
    await client.connection_pool.ensure_connection(connection)
    with move_on_after(within) as scope:
        await connection.send_packed_command(b"".join(map(_packed, commands)))
        for command in commands:
            try:
                replies.append(await client.parse_response(connection, command[0]))
            except ResponseError as error:
                replies.append(error)
    if scope.cancelled_caught:
        raise RedisTimeoutError(f"no reply within {within:g} s")


async def _connect(connection: Any) -> None:  # noqa: ANN401 - untyped
    # The client does not limit its handshake over a Unix socket.
    with move_on_after(CONNECT) as scope:
        await connection.connect()
    if scope.cancelled_caught:
        await connection.disconnect(nowait=True)
        raise RedisTimeoutError(f"no connection within {CONNECT:g} s")


async def handshake(connection: Any, name: str, within: float) -> None:  # noqa: ANN401 - untyped
    """Prepare a new connection for commands *within* so many seconds, and give it a *name*. Raises `RedisError`."""
    with move_on_after(within) as scope:
        await connection.on_connect()
        await connection.send_command("CLIENT SETNAME", name)
        with suppress(ResponseError):  # without the right to it, CLIENT LIST shows no name
            await connection.read_response()
    if scope.cancelled_caught:
        raise RedisTimeoutError(f"no handshake within {within:g} s")


def _packed(command: Command) -> bytes:
    # Redis would read `CLUSTER SLOTS` as one unknown word.
    words = str(command[0]).split()
    packed: bytes = _pack((*words, *command[1:]) if len(words) > 1 else command)
    return packed
