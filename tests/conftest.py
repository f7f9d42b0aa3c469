"""Fixtures that every test may use."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from chaos.cluster import Cluster, cluster
from rigs.moto import moto_server
from rigs.shop import Shop
from rigs.worker import Rig
from streamapp.cli.demo.servers import local_aws, redis_server
from streamapp.redis.store import RedisStore, open_redis
from streamapp.sqs.boto import BotoSqs, open_aws

_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long` runs the long form of each fault row, as `just faults ROW` does; `--sqs` names another server than moto."""
    parser.addoption("--long", action="store_true", help="run fault rows in their long form")
    parser.addoption(
        "--figures",
        metavar="FILE",
        action="append",
        default=[],
        help="renew the rig's figures in FILE's table",
    )
    parser.addoption("--sqs", metavar="URL", help="an SQS to use where the tests would start moto's")
    parser.addoption(
        "--cluster", action="store_true", help="keep state in a cluster of three, where one server would do"
    )


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run the tests: two a core, as most of them wait for servers most of the time."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio, because the AWS client needs it; a test may ask for both back ends."""
    return "asyncio"


@pytest.fixture(scope="session")
def valkeys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Valkey cluster of three for this run of the tests."""
    with cluster(tmp_path_factory.mktemp("cluster")) as opened:
        yield opened


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A real Valkey for this run of the tests, or the cluster that `--cluster` asks for."""
    if request.config.getoption("--cluster"):
        yield request.getfixturevalue("valkeys").url
        return
    with redis_server() as url:
        yield url


@pytest.fixture
def one_server(request: pytest.FixtureRequest) -> None:
    """Skip a test that needs a single server, when the tests run on a cluster."""
    if request.config.getoption("--cluster"):
        pytest.skip("of one server")


@pytest.fixture(scope="session")
def moto_endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    """Moto's SQS for this run of the tests, or the server that `--sqs` names."""
    if given := request.config.getoption("--sqs"):
        yield given
        return
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture
def prefix() -> str:
    """A prefix of keys and queue names that no other test has."""
    return f"t{next(_numbers)}-{os.urandom(3).hex()}"


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisStore]:
    """The state store on a real Valkey."""
    async with open_redis(redis_url) as opened:
        yield opened


@pytest.fixture
async def aws(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BotoSqs]:
    """The AWS client on moto's server."""
    for name, value in local_aws(moto_endpoint).items():
        monkeypatch.setenv(name, value)
    async with open_aws() as opened:
        yield opened


@pytest.fixture
async def rig(store: RedisStore, prefix: str) -> Rig:
    """An SQS in memory, a real Valkey, and an app without an agent yet."""
    return await Rig(store, prefix).create()


@pytest.fixture
async def shop(aws: BotoSqs, redis_url: str, prefix: str) -> AsyncIterator[Shop]:
    """A shop whose queues and state are open."""
    opened = Shop(aws, redis_url, prefix)
    await opened.open()
    yield opened
    await opened.close()
