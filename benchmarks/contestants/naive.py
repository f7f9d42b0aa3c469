"""The usual simple loop: receive ten, then for each message validate, change Redis, send, delete."""

from typing import Any

import aioboto3
import anyio
from handling import QUEUES, REDIS_URL, SINK, handle
from redis.asyncio import Redis


async def process(sqs: Any, redis: Redis, body: str) -> None:
    """Do the work of one message, one call after the other."""
    handling = handle(body)
    answers: list[Any] | None = None
    while True:
        try:
            commands = handling.send(answers)  # type: ignore[arg-type]  # None begins it
        except StopIteration as done:
            if done.value is not None:
                await sqs.send_message(QueueUrl=SINK, MessageBody=done.value)
            return
        answers = [await redis.execute_command(*command) for command in commands]


async def consume(queue: str) -> None:
    """Work off one queue for ever."""
    redis = Redis.from_url(REDIS_URL, decode_responses=True)
    async with aioboto3.Session().client("sqs") as sqs:
        while True:
            answer = await sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=10)
            for message in answer.get("Messages", []):
                await process(sqs, redis, message["Body"])
                await sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


async def main() -> None:
    """Work off every queue."""
    async with anyio.create_task_group() as tasks:
        for queue in QUEUES:
            tasks.start_soon(consume, queue)


anyio.run(main)
