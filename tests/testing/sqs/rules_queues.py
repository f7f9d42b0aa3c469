"""What queues are: their attributes, their dead letters and their end."""

import json

from testing.sqs.bench import Bench
from testing.sqs.rules import sees


async def with_dead_letters(sqs: Bench, most: int, suffix: str = "", **attributes: str) -> tuple[str, str]:
    """Return a queue and its dead-letter queue."""
    dead = await sqs.queue("dead" + suffix)
    policy = {"deadLetterTargetArn": await sqs.arn(dead), "maxReceiveCount": str(most)}
    return await sqs.queue("q" + suffix, RedrivePolicy=json.dumps(policy), **attributes), dead


@sees([["1", "2"], [], "3", True, True, True])
async def a_message_received_too_often_becomes_a_dead_letter(sqs: Bench) -> object:
    """It keeps its id, its age and its count, and names its source."""
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
async def a_missing_queue_is_reported(sqs: Bench) -> object:
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


@sees([["la"], True, ["lb", "lc"], False, "InvalidParameterValueException"])
async def lists_have_pages(sqs: Bench) -> object:
    """Who says how many results are wanted is told where the next ones begin."""
    for short in ("la", "lb", "lc"):
        await sqs.queue(short)

    prefix = sqs.name("l")
    first = await sqs("ListQueues", QueueNamePrefix=prefix, MaxResults=1)
    last = await sqs("ListQueues", QueueNamePrefix=prefix, MaxResults=2, NextToken=first["NextToken"])
    short = [[url.rsplit("-", 1)[-1] for url in page["QueueUrls"]] for page in (first, last)]
    code = await sqs.code("ListQueues", MaxResults=0)
    return [short[0], "NextToken" in first, short[1], "NextToken" in last, code]


@sees([1, True, 1, False])
async def the_sources_of_a_dead_letter_queue_have_pages(sqs: Bench) -> object:
    """As queues have."""
    _, dead = await with_dead_letters(sqs, 2)
    policy = {"deadLetterTargetArn": await sqs.arn(dead), "maxReceiveCount": "2"}
    await sqs.queue("other", RedrivePolicy=json.dumps(policy))

    first = await sqs("ListDeadLetterSourceQueues", QueueUrl=dead, MaxResults=1)
    token = first.get("NextToken", "")
    rest = await sqs("ListDeadLetterSourceQueues", QueueUrl=dead, MaxResults=1, NextToken=token)
    return [item for page in (first, rest) for item in (len(page["queueUrls"]), "NextToken" in page)]


@sees([{"team": "loja", "use": ""}, {"use": "x"}, {}])
async def a_queue_has_tags(sqs: Bench) -> object:
    """They are set one by one, and removing one that is not there is no error."""
    answer = await sqs("CreateQueue", QueueName=sqs.name("q"), tags={"team": "loja"})
    queue = answer["QueueUrl"]
    seen: list[object] = []

    await sqs("TagQueue", QueueUrl=queue, Tags={"use": ""})
    seen.append((await sqs("ListQueueTags", QueueUrl=queue))["Tags"])
    await sqs("TagQueue", QueueUrl=queue, Tags={"use": "x"})
    await sqs("UntagQueue", QueueUrl=queue, TagKeys=["team", "none"])
    seen.append((await sqs("ListQueueTags", QueueUrl=queue))["Tags"])
    await sqs("UntagQueue", QueueUrl=queue, TagKeys=["use"])
    seen.append((await sqs("ListQueueTags", QueueUrl=queue)).get("Tags", {}))
    return seen


@sees(["done", "true", "done", "false", "InvalidAttributeValue"])
async def a_boolean_may_begin_with_a_capital(sqs: Bench) -> object:
    """Templates and Python write "True"."""
    name, attributes = sqs.name("b.fifo"), {"FifoQueue": "True", "ContentBasedDeduplication": "TRUE"}

    created = await sqs.code("CreateQueue", QueueName=name, Attributes=attributes)
    queue = (await sqs("GetQueueUrl", QueueName=name))["QueueUrl"]
    by_content = await sqs.attribute(queue, "ContentBasedDeduplication")
    change = {"SqsManagedSseEnabled": "False"}
    changed = await sqs.code("SetQueueAttributes", QueueUrl=queue, Attributes=change)
    wrong = {"SqsManagedSseEnabled": "yes"}
    return [
        created,
        by_content,
        changed,
        await sqs.attribute(queue, "SqsManagedSseEnabled"),
        await sqs.code("SetQueueAttributes", QueueUrl=queue, Attributes=wrong),
    ]
