"""Records keep their documented schema."""

import json

import msgspec
from jsonschema import Draft202012Validator

from observe.tap import recorded
from rigs.worker import Add, Rig
from streamapp.observe.tap_record import schema
from streamapp.redis.tap import RedisTap


async def test_each_record_keeps_the_documented_schema(rig: Rig, taps: RedisTap) -> None:
    """Users' scripts depend on it."""
    rig.count()
    await rig.send([Add("a"), Add("a", 0), "no json", Add("k" * 20_000)])
    validator = Draft202012Validator(schema())

    await rig.work_off()

    records = await recorded(taps)
    assert len(records) == 6
    for record in records:
        validator.validate(json.loads(msgspec.json.encode(record)))
