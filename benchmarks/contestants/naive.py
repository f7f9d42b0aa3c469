"""The loop that teams write: receive ten, then for each message validate, HSET, send, delete."""

import aioboto3
import anyio
from event import PREFIX, QUEUES, REDIS_URL, SINK, announcement, decode, fields, key
from redis.asyncio import Redis

assert PREFIX


async def consume(queue: str) -> None:
    """Work off one queue for ever."""
    redis = Redis.from_url(REDIS_URL, decode_responses=True)
    async with aioboto3.Session().client("sqs") as sqs:
        while True:
            answer = await sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=10)
            for message in answer.get("Messages", []):
                event = decode(message["Body"])
                await redis.hset(key(event), mapping=fields(event))
                await sqs.send_message(QueueUrl=SINK, MessageBody=announcement(event).decode())
                await sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


async def main() -> None:
    """Work off every queue."""
    async with anyio.create_task_group() as tasks:
        for queue in QUEUES:
            tasks.start_soon(consume, queue)


anyio.run(main)
