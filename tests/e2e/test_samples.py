"""Real messages through real queues: every outcome, every field, every announcement."""

from collections import Counter

import pytest

from chaos.cluster import Cluster
from rigs.shop import Shop, check_state, expected, samples, shuffled
from streamapp.sqs.boto import BotoSqs


async def test_the_samples_in_order_leave_the_state_they_imply(shop: Shop) -> None:
    """What the first user sees must be right: each message has its outcome."""
    messages = samples()
    await shop.send(messages)

    await shop.work_off()

    await check_state(shop)
    assert (await shop.hashes("acompanhamento")).keys().isdisjoint(expected()["absent"])


async def test_dead_letters_keep_their_body_and_say_why(shop: Shop) -> None:
    """Whoever repairs a letter needs the message as it came, and the reason."""
    messages = samples()
    dead = {it.body: it.outcome.removeprefix("dead:") for it in messages if it.outcome.startswith("dead:")}
    await shop.send(messages)

    await shop.process()

    letters = await shop.letters()
    assert {body: attributes["streamapp-reason"] for body, attributes in letters} == dead
    assert len(letters) == len(dead)
    for _, attributes in letters:
        assert attributes["streamapp-detail"]
        assert shop.key_prefix.rstrip(":") in attributes["streamapp-source"]
        assert '"receive_count":1' in attributes["streamapp-source"]


@pytest.mark.parametrize("seed", range(5))
async def test_any_order_with_a_third_repeated_leaves_the_same_state(shop: Shop, seed: int) -> None:
    """SQS delivers more than once and in any order; both are ordinary input."""
    await shop.send(shuffled(samples(), seed))

    await shop.process()

    await check_state(shop)


async def test_two_workers_at_once_leave_the_same_state(shop: Shop) -> None:
    """Workers share nothing but the queues and the state; together they must not lose an update."""
    await shop.send(shuffled(samples(), 99))

    await shop.work_off(workers=2)

    await check_state(shop)


async def test_a_change_is_announced_once_while_nothing_fails(shop: Shop) -> None:
    """At least once is the promise; more than once is for crashes only."""
    await shop.send(shuffled(samples(), 7))

    await shop.process()

    ids = Counter(announcement["event_id"] for announcement in await shop.announcements())
    assert set(ids.values()) == {1}


async def test_a_cluster_keeps_the_same_state(aws: BotoSqs, valkeys: Cluster, prefix: str) -> None:
    """Keys of one batch lie on three servers; the agents know nothing of it."""
    shop = Shop(aws, valkeys.url, prefix)
    await shop.open()
    await shop.send(shuffled(samples(), 5))

    await shop.work_off()

    await check_state(shop)
    assert "pedido-events" in await shop.dump(), "the tap is there, too"
    await shop.close()
