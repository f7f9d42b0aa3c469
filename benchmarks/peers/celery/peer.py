"""The handler on Celery over SQS: one process of eight threads, acknowledged late."""

import json
import os
import sys
import uuid
from base64 import b64encode

import boto3
from celery import Celery

from redis import Redis

EMPTY = os.environ["BENCH_WORK"] == "empty"
QUEUE = os.environ["BENCH_QUEUES"].split(",")[0]
app = Celery("peer", broker="sqs://test:test@")
app.conf.update(
    broker_transport_options={
        "region": "us-east-1",
        "wait_time_seconds": 10,
        "predefined_queues": {
            "pedido-events": {"url": QUEUE, "access_key_id": "test", "secret_access_key": "test"}
        },
    },
    task_default_queue="pedido-events",
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=4,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
)
redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
sqs = boto3.client("sqs")


@app.task(name="handle")
def handle(event: dict) -> None:
    """Do one HSET and one send, unless the work is empty; the body is decoded already."""
    if EMPTY:
        return
    data = event["data"]
    fields = {"id_pedido": data["id_pedido"], "status": data["status"], "event_type": event["event_type"]}
    redis.hset(f"{os.environ['BENCH_PREFIX']}pedido:{data['id_pedido']}", mapping=fields)
    told = {"id_pedido": data["id_pedido"], "status": data["status"]}
    body = json.dumps({"event_type": "acompanhamento_atualizado", "data": told})
    sqs.send_message(QueueUrl=os.environ["BENCH_SINK"], MessageBody=body)


def wrapped(line: str) -> str:
    """Return the message that Celery's producer would send."""
    number = str(uuid.uuid4())
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    message = {
        "body": b64encode(json.dumps([[json.loads(line)], {}, embed]).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": "handle",
            "id": number,
            "root_id": number,
            "parent_id": None,
            "group": None,
        },
        "properties": {
            "correlation_id": number,
            "reply_to": number,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "pedido-events"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
    return b64encode(json.dumps(message).encode()).decode()


if __name__ == "__main__" and sys.argv[1:] == ["wrap"]:
    for each in sys.stdin:
        print(json.dumps({"MessageBody": wrapped(each)}))
