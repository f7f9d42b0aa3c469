"""Row 25: the wall clock jumps by an hour and back; no timer moves, and the merged states are the same."""

import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis.asyncio
from anyio import current_time, fail_after, sleep, to_thread

from faults.faked_time import LIBRARY, WallClock
from rigs.shop import Shop, check_state, samples, shuffled
from rigs.worker import until
from streamapp.cli.demo.servers import local_aws, redis_server
from streamapp.sqs.boto import open_aws
from streamapp.testing import MemorySqs, serve

HOUR = 3_600
LEAPS = 10
VISIBILITY = 30
WAIT = 1.0


@pytest.fixture
async def clock(tmp_path: Path) -> WallClock:
    """A wall clock for the worker."""
    return WallClock(tmp_path)


@pytest.fixture
def sqs() -> MemorySqs:
    """The SQS of the shop, on the right time."""
    return MemorySqs()


@pytest.fixture
async def shop(
    sqs: MemorySqs, clock: WallClock, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shop]:
    """A shop whose workers use that clock, with a Valkey of its own."""
    with redis_server() as url:
        async with serve(sqs) as endpoint:
            for name, value in local_aws(endpoint).items():
                monkeypatch.setenv(name, value)
            async with open_aws() as aws:
                opened = Shop(aws, url, prefix, **clock.env)
                await opened.open(visibility=VISIBILITY)
                yield opened
                await opened.close()


def poll_gaps(sqs: MemorySqs, queue: str, since: float, until_: float) -> list[float]:
    """Return the seconds between the empty responses of a queue's polls."""
    ends = [
        entry.at
        for entry in sqs.ledger.calls("receive", queue)
        if entry.outcome == "empty" and since <= entry.at <= until_
    ]
    return [later - earlier for earlier, later in itertools.pairwise(ends)]


@pytest.mark.timeout(300)
@pytest.mark.skipif(LIBRARY is None, reason="libfaketime is missing: apt-get install faketime")
async def test_a_wall_clock_that_leaps_moves_no_timer_and_no_state(
    shop: Shop, sqs: MemorySqs, clock: WallClock, tmp_path: Path, long: bool, figure: Callable[[str], None]
) -> None:
    """Clocks are set now and then; timeouts and the order of events must not depend on them."""
    every, rounds = (5.0, 3) if long else (0.7, 1)
    log = tmp_path / "log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "streamapp", "worker", "--log-format", "json"]
        worker = subprocess.Popen(command, env=shop.env, stdout=subprocess.DEVNULL, stderr=file)
    try:
        await until(lambda: '"ready"' in log.read_text(), within=60)
        began = sqs.clock.now()
        messages = shuffled(samples() * rounds, 25)
        some = -(-len(messages) // LEAPS)
        async with redis.asyncio.Redis.from_url(shop.env["REDIS_URL"]) as store:
            for leap in range(LEAPS):
                clock.set(HOUR if leap % 2 == 0 else -HOUR)
                if long and leap == LEAPS // 2:
                    # What is in hand for two visibility timeouts needs the heartbeat.
                    await store.client_pause(2 * VISIBILITY * 1000)
                await shop.send(messages[leap * some : (leap + 1) * some])
                await sleep(every)
        streams = ("pedido-events", "pagamento-events", "produto-events")
        with fail_after(90):
            while any([sum(await shop.counts(stream)) for stream in streams]):
                await sleep(0.2)
        ended = sqs.clock.now()
        clock.set(HOUR)
        stopped_at = current_time()
        worker.terminate()
        with fail_after(60):
            code = await to_thread.run_sync(worker.wait, abandon_on_cancel=True)
        drained = current_time() - stopped_at
    finally:
        worker.kill()
        worker.wait()
    first, last = (
        line[14:38] for line in (log.read_text().splitlines()[0], log.read_text().splitlines()[-1])
    )
    receives = [n for stream in streams for n in sqs.ledger.receives(shop.names[stream]).values()]
    gaps = [gap for stream in streams for gap in poll_gaps(sqs, shop.names[stream], began, ended)]

    figure(
        f"{LEAPS} leaps of an hour, the worker's first and last log lines at {first} and {last}: idle polls of {WAIT:g} s "
        f"{min(gaps, default=0):.2f} to {max(gaps, default=0):.2f} s apart; {len(receives)} messages received at most {max(receives)} time(s), "
        f"heartbeats {len(sqs.ledger.extended())}; drained in {drained:.2f} s, exit {code}; state and announcements as without leaps"
    )
    await check_state(shop)
    assert code == 0
    if long:
        assert drained < 25  # clock: the row's figure
    assert max(gaps, default=0) < HOUR / 10
    if long:
        assert max(receives) == 1
        assert sqs.ledger.extended()
