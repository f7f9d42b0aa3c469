"""What viewers see of a body."""

from observe.tap import recorded
from rigs.worker import Add, Rig
from streamapp.redis.tap import RedisTap
from streamapp_codecs import Json


async def test_names_that_a_codec_declares_private_are_masked(rig: Rig, taps: RedisTap) -> None:
    """Personal data must not be stored in a stream."""
    rig.count(codec=Json(Add, private=("key",)))
    await rig.send([Add("ana@example.com")])

    await rig.work_off()

    (record,) = await recorded(taps, "orders")
    assert record.content == {"key": "***", "n": 1}


async def test_a_long_body_is_cut_and_marked_as_cut(rig: Rig, taps: RedisTap) -> None:
    """Copies for viewers must not fill Redis."""
    rig.count()
    await rig.send([Add("k" * 20_000), Add("k" * 100_000)])

    await rig.work_off()

    cut, left_out = sorted(await recorded(taps, "orders"), key=lambda record: record.size)
    assert cut.truncated
    assert len(bytes(cut.body)) < 10_000
    assert isinstance(cut.content, str)
    assert left_out.truncated
    assert left_out.content is None
    assert left_out.size > 100_000
