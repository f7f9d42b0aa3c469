"""What a FIFO queue promises."""

from testing.sqs.bench import Bench
from testing.sqs.rules import sees

FIFO = {"ContentBasedDeduplication": "true"}


@sees([["a1", "a2"], ["b1"], ["a3"]])
async def a_group_keeps_its_order_and_blocks_itself_alone(sqs: Bench) -> object:
    """The messages after one wait until that one is deleted or back."""
    queue = await sqs.queue("q.fifo", **FIFO)
    for body in ("a1", "b1", "a2", "a3"):
        await sqs.send(queue, body, MessageGroupId=body[0])

    first = await sqs.receive(queue, 2)
    second = await sqs.receive(queue)
    for message in first:
        await sqs("DeleteMessage", QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [[m["Body"] for m in first], [m["Body"] for m in second], await sqs.bodies(queue)]


@sees([["b1", "a1"], []])
async def a_message_given_back_comes_before_what_follows_it(sqs: Bench) -> object:
    """Its group goes on with it although a later one is in flight."""
    queue = await sqs.queue("q.fifo", **FIFO)
    for body in ("a1", "a2", "b1"):
        await sqs.send(queue, body, MessageGroupId=body[0])
    first, _ = await sqs.receive(queue, 2)

    await sqs(
        "ChangeMessageVisibility", QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0
    )

    return [await sqs.bodies(queue), await sqs.bodies(queue)]


@sees([True, True, False, ["x", "y"], []])
async def a_repeated_send_is_taken_and_adds_nothing(sqs: Bench) -> object:
    """By its deduplication id, or by its content; even after the first was deleted."""
    queue = await sqs.queue("q.fifo", **FIFO)
    x = await sqs.send(queue, "x", "x", MessageGroupId="g")
    y = await sqs.send(queue, "y", "z", MessageGroupId="g", MessageDeduplicationId="d")

    received = await sqs.receive(queue)
    for message in received:
        await sqs("DeleteMessage", QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    await sqs.send(queue, "x", MessageGroupId="g")
    bodies = [message["Body"] for message in received]
    return [x[0] == x[1], y[0] == y[1], x[0] == y[0], bodies, await sqs.bodies(queue)]


@sees([[], ["x"]], patient=True)
async def deduplication_lasts_five_minutes(sqs: Bench) -> object:
    """A retry later than that makes a second message."""
    queue = await sqs.queue("q.fifo", **FIFO)
    await sqs.send(queue, "x", MessageGroupId="g")
    await sqs("DeleteMessage", QueueUrl=queue, ReceiptHandle=(await sqs.one(queue))["ReceiptHandle"])

    await sqs.pass_time(299)
    await sqs.send(queue, "x", MessageGroupId="g")
    early = await sqs.bodies(queue)
    await sqs.pass_time(1)
    await sqs.send(queue, "x", MessageGroupId="g")
    return [early, await sqs.bodies(queue)]


@sees(
    ["MissingRequiredParameterException", "InvalidParameterValueException", "InvalidParameterValueException"]
)
async def a_fifo_send_needs_a_group_and_an_identity_and_has_no_delay(sqs: Bench) -> object:
    """Order is the queue's business."""
    queue = await sqs.queue("q.fifo")

    send = {"QueueUrl": queue, "MessageBody": "x"}
    whole = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    return [
        await sqs.code("SendMessage", **send, MessageDeduplicationId="d"),
        await sqs.code("SendMessage", **send, MessageGroupId="g"),
        await sqs.code("SendMessage", **send, **whole, DelaySeconds=2),
    ]


@sees(["InvalidParameterValueException", ["x"]])
async def a_fifo_queue_refuses_a_delete_that_comes_too_late(sqs: Bench) -> object:
    """Unlike a standard queue it reports that the message belongs to another consumer by now."""
    queue = await sqs.queue("q.fifo", **FIFO)
    await sqs.send(queue, "x", MessageGroupId="g")
    handle = (await sqs.one(queue, VisibilityTimeout=0))["ReceiptHandle"]

    code = await sqs.code("DeleteMessage", QueueUrl=queue, ReceiptHandle=handle)
    return [code, await sqs.bodies(queue)]


@sees(["InvalidParameterValueException", "MessageNotInflight"])
async def a_fifo_queue_keeps_a_message_from_old_handles(sqs: Bench) -> object:
    """Neither one that has expired, nor one of a message that another consumer holds, changes its visibility."""
    queue = await sqs.queue("q.fifo", **FIFO)
    await sqs.send(queue, "x", MessageGroupId="g")
    old, new = [(await sqs.one(queue, VisibilityTimeout=0))["ReceiptHandle"] for _ in range(2)]

    change = {"QueueUrl": queue, "VisibilityTimeout": 5}
    return [
        await sqs.code("ChangeMessageVisibility", **change, ReceiptHandle=handle) for handle in (old, new)
    ]


@sees(["InvalidParameterValueException", "InvalidAttributeName"])
async def a_fifo_queue_is_named_so(sqs: Bench) -> object:
    """The name and the attribute go together, and the kind of a queue never changes."""
    standard = await sqs.queue()

    return [
        await sqs.code("CreateQueue", QueueName=sqs.name("x"), Attributes={"FifoQueue": "true"}),
        await sqs.code("SetQueueAttributes", QueueUrl=standard, Attributes={"FifoQueue": "true"}),
    ]


@sees(["all: InvalidParameterValueException", "all: InvalidParameterValueException", []])
async def a_fifo_batch_is_refused_whole_for_one_message(sqs: Bench) -> object:
    """Without its group, or its identity, none of them is sent."""
    queue = await sqs.queue("q.fifo")

    good = {"MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    lacking = [{name: value for name, value in good.items() if name != missing} for missing in list(good)[1:]]
    outcomes = [await sqs.entries("SendMessageBatch", queue, good, message) for message in lacking]
    return [*(outcome for (outcome,) in outcomes), await sqs.bodies(queue)]


@sees(["done", [], ["x"]], patient=True)
async def a_fifo_message_without_a_delay_has_its_queues(sqs: Bench) -> object:
    """Zero is no delay of its own."""
    queue = await sqs.queue("q.fifo", **FIFO, DelaySeconds="2")

    code = await sqs.code("SendMessage", QueueUrl=queue, MessageBody="x", MessageGroupId="g", DelaySeconds=0)
    early = await sqs.bodies(queue)
    await sqs.pass_time(2)
    return [code, early, await sqs.bodies(queue)]
