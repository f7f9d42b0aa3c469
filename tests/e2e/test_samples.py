"""Real messages through real queues: every outcome, every field, every announcement."""

from collections import Counter

import pytest

from chaos.cluster import Cluster
from rigs.shop import Shop, check_state, expected, samples, shuffled
from streamapp.sqs.boto import BotoSqs


async def test_the_samples_in_order_leave_the_state_they_imply(shop: Shop) -> None:
    """Each message must have its outcome."""
    messages = samples()
    await shop.send(messages)

    await shop.work_off()

    await check_state(shop)
    assert (await shop.hashes("acompanhamento")).keys().isdisjoint(expected()["absent"])


async def test_dead_letters_keep_their_body_and_say_why(shop: Shop) -> None:
    """To repair a letter, one needs the original message and the reason."""
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
    """SQS may deliver a message more than once, and in any order."""
    await shop.send(shuffled(samples(), seed))

    await shop.process()

    await check_state(shop)


async def test_two_workers_at_once_leave_the_same_state(shop: Shop) -> None:
    """Workers share only the queues and the state, and must not lose an update together."""
    await shop.send(shuffled(samples(), 99))

    await shop.work_off(workers=2)

    await check_state(shop)


async def test_a_change_is_announced_once_while_nothing_fails(shop: Shop) -> None:
    """More than once happens only after a crash."""
    await shop.send(shuffled(samples(), 7))

    await shop.process()

    ids = Counter(announcement["event_id"] for announcement in await shop.announcements())
    assert set(ids.values()) == {1}


async def test_a_cluster_keeps_the_same_state(aws: BotoSqs, valkeys: Cluster, prefix: str) -> None:
    """The keys of one batch are on three servers."""
    shop = Shop(aws, valkeys.url, prefix)
    await shop.open()
    await shop.send(shuffled(samples(), 5))

    await shop.work_off()

    await check_state(shop)
    assert "pedido-events" in await shop.dump(), "the tap is there, too"
    await shop.close()
