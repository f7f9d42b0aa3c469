"""How workers end: killed, stopped, or out of work."""

import signal
from collections.abc import AsyncIterator

import anyio
import pytest

from rigs.shop import STREAMS, Shop, check_state, ended, samples, shuffled, until
from streamapp.sqs.boto import BotoSqs
from streamapp.sqs.queue_flaws import SHORTEST_LEASE


@pytest.fixture
async def hasty(aws: BotoSqs, redis_url: str, prefix: str) -> AsyncIterator[Shop]:
    """A shop whose messages become visible again as soon as they may after a worker was killed."""
    opened = Shop(aws, redis_url, prefix)
    await opened.open(visibility=2)
    yield opened
    await opened.close()


async def test_a_worker_killed_and_started_again_leaves_the_same_state(hasty: Shop) -> None:
    """A crash may cost time, but no message and no announcement."""
    await hasty.send(shuffled(samples(), 11))
    for moment in (0.05, 0.15, 0.3):
        with hasty.running() as worker:
            await until(worker, "ready")
            await anyio.sleep(moment)
            worker.send_signal(signal.SIGKILL)
    await anyio.sleep(SHORTEST_LEASE)

    await hasty.work_off()

    await check_state(hasty)


async def test_a_worker_told_to_stop_under_load_leaves_nothing_invisible(shop: Shop) -> None:
    """A deploy must not leave messages invisible until their visibility timeout ends."""
    await shop.send(shuffled(samples() * 3, 12))
    with shop.running() as worker:
        await until(worker, "ready")
        await anyio.sleep(0.2)

        worker.send_signal(signal.SIGTERM)

        with anyio.fail_after(25):
            await ended(worker)
        assert worker.returncode == 0
    counts = [await shop.counts(stream) for stream in STREAMS]
    assert [invisible for _, invisible in counts] == [0, 0, 0]
    assert sum(waiting for waiting, _ in counts) > 0, "it was idle already, so this proves nothing"

    await shop.work_off()

    await check_state(shop)


async def test_a_stopped_worker_handles_the_messages_of_its_last_poll(shop: Shop) -> None:
    """A poll that is still open may return messages, which must be processed or released."""
    with shop.running() as worker:
        await until(worker, "ready")
        worker.send_signal(signal.SIGTERM)
        await shop.send(samples())
        await ended(worker)

    assert worker.returncode == 0
    assert [(await shop.counts(stream))[1] for stream in STREAMS] == [0, 0, 0]


async def test_ctrl_c_drains_and_is_exit_code_130(shop: Shop) -> None:
    """With 130 a shell knows that a person stopped it."""
    with shop.running() as worker:
        await until(worker, "ready")

        worker.send_signal(signal.SIGINT)

        await ended(worker)
        assert worker.returncode == 130


async def test_sigterm_before_it_is_ready_ends_it(shop: Shop) -> None:
    """An orchestrator may stop it at any time."""
    with shop.running() as worker:
        await anyio.sleep(1.0)

        worker.send_signal(signal.SIGTERM)

        await ended(worker)
        assert worker.returncode in {0, -signal.SIGTERM}
