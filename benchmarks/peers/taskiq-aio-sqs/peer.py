"""The handler on taskiq-aio-sqs: receives of ten, up to a hundred tasks at once."""

import json
import os
import sys
import uuid

from redis.asyncio import Redis
from taskiq import TaskiqMessage
from taskiq_aio_sqs import SQSBroker

EMPTY = os.environ["BENCH_WORK"] == "empty"
PREFIX, SINK = os.environ["BENCH_PREFIX"], os.environ["BENCH_SINK"]

broker = SQSBroker("pedido-events", endpoint_url=os.environ["BENCH_ENDPOINT"], max_number_of_messages=10)
redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


@broker.task(task_name="handle")
async def handle(event: dict) -> None:
    """Do one HSET and one send, unless the work is empty; the body is decoded already."""
    if EMPTY:
        return
    data = event["data"]
    fields = {"id_pedido": data["id_pedido"], "status": data["status"], "event_type": event["event_type"]}
    await redis.hset(f"{PREFIX}pedido:{data['id_pedido']}", mapping=fields)
    told = {"id_pedido": data["id_pedido"], "status": data["status"]}
    body = json.dumps({"event_type": "acompanhamento_atualizado", "data": told})
    await broker._sqs_client.send_message(QueueUrl=SINK, MessageBody=body)  # noqa: SLF001 - its own client, already open


if __name__ == "__main__" and sys.argv[1:] == ["wrap"]:
    for line in sys.stdin:
        message = TaskiqMessage(
            task_id=uuid.uuid4().hex, task_name="handle", labels={}, args=[json.loads(line)], kwargs={}
        )
        print(json.dumps({"MessageBody": broker.formatter.dumps(message).message.decode()}))
