"""A worker's metrics."""

from anyio import fail_after

from rigs.worker import Add, Rig, until
from streamapp.web.health import Health
from streamapp.web.metrics import Metrics
from web.probes import Probes


async def test_metrics_count_what_was_done(
    rig: Rig, health: Health, metrics: Metrics, probes: Probes
) -> None:
    """Counts that are not exported are not watched."""
    rig.count()
    await rig.send([Add("a"), Add("b"), Add("c", 0), "not JSON"])

    async with rig.running() as worker:
        metrics.begin(worker)
        worker.tap.observe = metrics.note
        await worker.sweeper.sweep()
        with fail_after(10):
            await until(lambda: len(rig.sqs.ledger.deleted("orders")) == 4)
        lines = (await probes.text("/metrics")).splitlines()

    assert 'streamapp_messages_total{outcome="ok",stream="orders"} 2.0' in lines
    assert 'streamapp_messages_total{outcome="duplicate",stream="orders"} 1.0' in lines
    assert 'streamapp_messages_total{outcome="invalid",stream="orders"} 1.0' in lines
    assert 'streamapp_message_age_seconds_count{stream="orders"} 3.0' in lines
    took = 'messaging_process_duration_seconds_count{error_type="",messaging_destination_name="orders"} 3.0'
    assert took in lines
    assert 'streamapp_in_flight{stream="orders"} 0.0' in lines
    assert 'streamapp_concurrency{stream="orders"} 10.0' in lines
    assert "streamapp_redis_up 1.0" in lines
    assert "streamapp_draining 0.0" in lines
    assert "streamapp_oldest_pending_announcement_seconds 0.0" in lines
    received = 'messaging_operation_name="receive",messaging_system="aws_sqs"} 4.0'
    assert any(
        line.startswith("messaging_client_consumed_messages_total") and received in line for line in lines
    )
