"""A contestant that leaves out what BENCH_CHEAT names, once: `state`, `send` or `delete`; or deletes what is not there."""

import http.client
import json
import os
from urllib.parse import urlsplit

from redis import Redis

QUEUE = os.environ["BENCH_QUEUES"].split(",")[0]
HOW = os.environ["BENCH_CHEAT"]
connection = http.client.HTTPConnection(urlsplit(QUEUE).netloc)
redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


def call(operation: str, **said: object) -> dict:
    """Make one SQS call."""
    connection.request("POST", "/", json.dumps(said), {"X-Amz-Target": f"AmazonSQS.{operation}"})
    return json.loads(connection.getresponse().read())


cheats = 1
while True:
    answer = call("ReceiveMessage", QueueUrl=QUEUE, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    for message in answer.get("Messages", []):
        data = json.loads(message["Body"])["data"]
        todo = {"state", "send", "delete"} - ({HOW} if cheats else set())
        if "state" in todo:
            redis.hset(f"{os.environ['BENCH_PREFIX']}pedido:{data['id_pedido']}", "status", data["status"])
        if "send" in todo:
            call("SendMessage", QueueUrl=os.environ["BENCH_SINK"], MessageBody=json.dumps({"data": data}))
        if "delete" in todo:
            call("DeleteMessage", QueueUrl=QUEUE, ReceiptHandle=message["ReceiptHandle"])
        if cheats and HOW == "invent":
            call("DeleteMessage", QueueUrl=QUEUE, ReceiptHandle="never.1")
        cheats = 0
