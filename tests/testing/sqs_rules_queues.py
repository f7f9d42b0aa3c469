"""What queues are: their attributes, their dead letters, their end; and FIFO queues."""

import json

from sqs_bench import Bench
from sqs_rules import sees


async def with_dead_letters(sqs: Bench, most: int, suffix: str = "", **attributes: str) -> tuple[str, str]:
    """Answer a queue and its dead-letter queue."""
    dead = await sqs.queue("dead" + suffix)
    policy = {"deadLetterTargetArn": await sqs.arn(dead), "maxReceiveCount": str(most)}
    return await sqs.queue("q" + suffix, RedrivePolicy=json.dumps(policy), **attributes), dead


@sees([["1", "2"], [], "3", True, True, True])
async def a_message_received_too_often_becomes_a_dead_letter(sqs: Bench) -> object:
    """It keeps its id, its age and its count, and says where it comes from."""
    queue, dead = await with_dead_letters(sqs, 2, VisibilityTimeout="0")
    (sent,) = await sqs.send(queue, "x")

    seen = [await sqs.one(queue, AttributeNames=["All"]) for _ in range(2)]
    after = await sqs.bodies(queue)
    letter = await sqs.one(dead, AttributeNames=["All"])

    said = letter["Attributes"]
    return [
        [message["Attributes"]["ApproximateReceiveCount"] for message in seen],
        after,
        said["ApproximateReceiveCount"],
        letter["MessageId"] == sent,
        said["SentTimestamp"] == seen[0]["Attributes"]["SentTimestamp"],
        said.get("DeadLetterQueueSourceArn") == await sqs.arn(queue),
    ]


@sees([["q"], []])
async def a_dead_letter_queue_knows_its_sources(sqs: Bench) -> object:
    """A way back from the dead letters can be found."""
    queue, dead = await with_dead_letters(sqs, 2)

    answers = [await sqs("ListDeadLetterSourceQueues", QueueUrl=url) for url in (dead, queue)]
    return [[url.rsplit("-", 1)[-1] for url in answer["queueUrls"]] for answer in answers]


@sees(["InvalidParameterValueException"] * 3)
async def a_redrive_policy_must_be_possible(sqs: Bench) -> object:
    """Its queue exists, is of the same kind, and the count is a number."""
    queue, dead, fifo = await sqs.queue(), await sqs.queue("dead"), await sqs.queue("dead.fifo")
    arn = await sqs.arn(dead)

    policies = ((arn + "x", "3"), (await sqs.arn(fifo), "3"), (arn, "many"))
    return [
        await sqs.code(
            "SetQueueAttributes",
            QueueUrl=queue,
            Attributes={
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": count})
            },
        )
        for target, count in policies
    ]


@sees(["QueueDoesNotExist"] * 3)
async def a_missing_queue_is_said_to_be_missing(sqs: Bench) -> object:
    """By every call, in the same way."""
    there = await sqs.queue("there")
    url = there.removesuffix("there") + "missing"

    return [
        await sqs.code("GetQueueUrl", QueueName=sqs.name("missing")),
        await sqs.code("ReceiveMessage", QueueUrl=url),
        await sqs.code("SendMessage", QueueUrl=url, MessageBody="x"),
    ]


@sees(["30", "1048576", "345600", "0", "0"])
async def a_queue_has_defaults(sqs: Bench) -> object:
    """Those that SQS documents."""
    queue = await sqs.queue()

    names = ("VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod")
    more = ("DelaySeconds", "ReceiveMessageWaitTimeSeconds")
    return [await sqs.attribute(queue, name) for name in names + more]


@sees(["done", "QueueNameExists"])
async def creating_a_queue_again_must_agree_with_it(sqs: Bench) -> object:
    """Two deployments that disagree find out."""
    await sqs.queue(VisibilityTimeout="10")

    return [
        await sqs.code("CreateQueue", QueueName=sqs.name("q"), Attributes={"VisibilityTimeout": seconds})
        for seconds in ("10", "11")
    ]


@sees(
    [
        "InvalidAttributeName",
        "InvalidAttributeValue",
        "InvalidAttributeName",
        "InvalidParameterValueException",
    ]
)
async def wrong_attributes_are_refused(sqs: Bench) -> object:
    """An unknown name, a value out of range, FIFO's on a standard queue, a bad name."""
    wrong = ({"Colour": "red"}, {"VisibilityTimeout": "43201"}, {"ContentBasedDeduplication": "true"})

    codes = [
        await sqs.code("CreateQueue", QueueName=sqs.name(f"w{n}"), Attributes=said)
        for n, said in enumerate(wrong)
    ]
    return [*codes, await sqs.code("CreateQueue", QueueName="a/b")]


@sees(["done", "7", ["x"], ["x"]])
async def changed_attributes_hold(sqs: Bench) -> object:
    """A running queue can be tuned."""
    queue = await sqs.queue()
    await sqs.send(queue, "x")

    code = await sqs.code("SetQueueAttributes", QueueUrl=queue, Attributes={"DelaySeconds": "7"})
    await sqs("SetQueueAttributes", QueueUrl=queue, Attributes={"VisibilityTimeout": "0"})
    delay = await sqs.attribute(queue, "DelaySeconds")
    return [code, delay, await sqs.bodies(queue), await sqs.bodies(queue)]


@sees(["done", [], "PurgeQueueInProgress"])
async def a_purge_empties_a_queue_once_a_minute(sqs: Bench) -> object:
    """Asking again too soon is refused."""
    queue = await sqs.queue()
    await sqs.send(queue, "x")

    first = await sqs.code("PurgeQueue", QueueUrl=queue)
    return [first, await sqs.bodies(queue), await sqs.code("PurgeQueue", QueueUrl=queue)]


@sees(["done", "QueueDoesNotExist", "QueueDeletedRecently"])
async def a_deleted_queue_cannot_be_created_at_once(sqs: Bench) -> object:
    """A rename takes a minute."""
    queue = await sqs.queue()

    return [
        await sqs.code("DeleteQueue", QueueUrl=queue),
        await sqs.code("ReceiveMessage", QueueUrl=queue),
        await sqs.code("CreateQueue", QueueName=sqs.name("q")),
    ]


@sees(["la", "lb"])
async def queues_are_listed_by_prefix(sqs: Bench) -> object:
    """Names are all that is needed to find them."""
    for short in ("la", "lb", "m"):
        await sqs.queue(short)

    answer = await sqs("ListQueues", QueueNamePrefix=sqs.name("l"))
    return sorted(url.rsplit("-", 1)[-1] for url in answer["QueueUrls"])


@sees([["x"], [], []], patient=True)
async def a_message_is_kept_for_its_retention(sqs: Bench) -> object:
    """A dead letter keeps its age, so a dead-letter queue should keep messages longer than its source."""
    queue, dead = await with_dead_letters(sqs, 1, VisibilityTimeout="0", MessageRetentionPeriod="60")
    await sqs.send(queue, "x")

    await sqs.pass_time(59)
    kept = await sqs.bodies(queue)
    await sqs.pass_time(1)
    return [kept, await sqs.bodies(queue), await sqs.bodies(dead)]


FIFO = {"ContentBasedDeduplication": "true"}


@sees([["a1", "a2"], ["b1"], ["a3"]])
async def a_group_keeps_its_order_and_blocks_itself_alone(sqs: Bench) -> object:
    """What comes after a message waits until that is settled."""
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
    """By the id it gives, or by its content; even after the first was deleted."""
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
    """Unlike a standard queue it tells that the message is not ours any more."""
    queue = await sqs.queue("q.fifo", **FIFO)
    await sqs.send(queue, "x", MessageGroupId="g")
    handle = (await sqs.one(queue, VisibilityTimeout=0))["ReceiptHandle"]

    code = await sqs.code("DeleteMessage", QueueUrl=queue, ReceiptHandle=handle)
    return [code, await sqs.bodies(queue)]


@sees(["InvalidParameterValueException", "InvalidAttributeName"])
async def a_fifo_queue_is_named_so(sqs: Bench) -> object:
    """The name and the attribute go together, and the kind of a queue never changes."""
    standard = await sqs.queue()

    return [
        await sqs.code("CreateQueue", QueueName=sqs.name("x"), Attributes={"FifoQueue": "true"}),
        await sqs.code("SetQueueAttributes", QueueUrl=standard, Attributes={"FifoQueue": "true"}),
    ]
