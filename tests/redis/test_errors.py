"""Each error of Redis has a class."""

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    DataError,
    InvalidResponse,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from rigs.redis_6 import WRAPPED
from streamapp.errors import Fault, TimedOut
from streamapp.redis.errors import fault_of, is_read_only, service_error


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (RedisConnectionError("Connection refused"), Fault.TRANSIENT),
        (RedisTimeoutError("Timeout reading"), Fault.TRANSIENT),
        (BusyLoadingError("Redis is loading the dataset in memory"), Fault.TRANSIENT),
        (ResponseError("LOADING Redis is loading the dataset in memory"), Fault.TRANSIENT),
        (ResponseError("BUSY Redis is busy running a script."), Fault.TRANSIENT),
        (TryAgainError("Multiple keys request during rehashing of slot"), Fault.TRANSIENT),
        (ClusterDownError("The cluster is down"), Fault.TRANSIENT),
        (MasterDownError("Link with MASTER is down"), Fault.TRANSIENT),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), Fault.TRANSIENT),
        (ReadOnlyError("You can't write against a read only replica."), Fault.TRANSIENT),
        (ResponseError("READONLY You can't write against a read only replica."), Fault.TRANSIENT),
        (ResponseError(WRAPPED), Fault.TRANSIENT),
        (InvalidResponse("Protocol Error: b'x'"), Fault.TRANSIENT),
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), Fault.CAPACITY),
        (ResponseError("OOM command not allowed when used memory > 'maxmemory'."), Fault.CAPACITY),
        (ResponseError("MISCONF Errors writing to the AOF file: No space left"), Fault.CAPACITY),
        (AuthenticationError("Authentication required."), Fault.CONFIGURATION),
        (ResponseError("NOAUTH Authentication required."), Fault.CONFIGURATION),
        (ResponseError("WRONGPASS invalid username-password pair"), Fault.CONFIGURATION),
        (NoPermissionError("this user has no permissions to run the 'hset' command"), Fault.CONFIGURATION),
        (ResponseError("NOPERM this user has no permissions"), Fault.CONFIGURATION),
        (
            RedisConnectionError("HELLO must be called with the client already authenticated"),
            Fault.CONFIGURATION,
        ),
        (ResponseError("ACL failure in script: User default has no permissions"), Fault.CONFIGURATION),
        (ResponseError("The user executing the script can't run this command"), Fault.CONFIGURATION),
        (ResponseError("CROSSSLOT Keys in request don't hash to the same slot"), Fault.CONFIGURATION),
        (ResponseError("WRONGTYPE Operation against a key holding the wrong kind"), Fault.CONFIGURATION),
        (ResponseError("ERR unknown command 'X'"), Fault.SENDER),
        (DataError("Invalid input of type: 'dict'."), Fault.SENDER),
    ],
    ids=lambda value: str(value)[:30],
)
def test_each_error_of_redis_has_its_class(error: RedisError, fault: Fault) -> None:
    """The table of error classes, line by line."""
    assert fault_of(error) is fault


def test_a_replica_that_refuses_a_script_is_known_by_redis_6_too() -> None:
    """Its connection must be dropped, or the worker would stay with a replica for ever."""
    assert is_read_only(ResponseError(WRAPPED))
    assert is_read_only(ReadOnlyError("You can't write against a read only replica."))
    assert not is_read_only(ResponseError("OOM command not allowed"))


def test_what_takes_too_long_is_told_apart_from_a_lost_connection() -> None:
    """It may be the fault of its key alone."""
    assert isinstance(service_error(RedisTimeoutError("no reply within 2 s")), TimedOut)
    assert not isinstance(service_error(RedisConnectionError("reset")), TimedOut)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ResponseError("ERR value is not an integer"), "ResponseError: ERR value is not an integer"),
        (ResponseError("ERR unknown command 'secret'"), "ResponseError: ERR unknown command"),
        (ResponseError("ERR unknown command `secret`, with args"), "ResponseError: ERR unknown command"),
        (
            OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
            "OutOfMemoryError: command not allowed when used memory >",
        ),
        (ClusterDownError("It can't write."), "ClusterDownError: It can't write."),
        (
            ResponseError("The user executing the script can't run this command"),
            "NOPERM: the user in REDIS_URL lacks a permission; deploy/redis lists all that are needed",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_redis_says_is_told_without_what_it_quotes(error: RedisError, told: str) -> None:
    """Of "The user executing the script can't run this command", the first word helps nobody."""
    assert service_error(error).detail == told
