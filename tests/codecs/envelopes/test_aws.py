"""Envelopes that AWS makes."""

import json

import pytest


def _sns(message: object, topic: str = "pedidos", **attributes: str) -> dict[str, object]:
    return {
        "Type": "Notification",
        "MessageId": "0a1b2c3d",
        "TopicArn": f"arn:aws:sns:us-east-1:000000000000:{topic}",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2025-07-28T16:20:01.003Z",
        "MessageAttributes": {name: {"Type": "String", "Value": value} for name, value in attributes.items()},
        "UnsubscribeURL": "https://sns.example/?Action=Unsubscribe",
    }


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_snss_own_messages_are_skipped(decode, kind) -> None:
    """Their URLs are never followed: the queue's policy decides who may send."""
    body = {
        "Type": kind,
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:pedido-criado",
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": "https://sns.example/?Action=ConfirmSubscription",
    }

    for wrapped in (body, {"Records": [{"Sns": body}]}, {"Records": [{"body": json.dumps(body)}]}):
        decoded = decode(wrapped)

        assert decoded.skipped == (kind,)
        assert decoded.error is None


@pytest.mark.parametrize("message", ["Olá", "", "{"])
def test_a_notification_without_json_is_not_json(reason, message) -> None:
    """Its message is a body like any other."""
    assert reason(_sns(message)) == "not_json"


@pytest.mark.parametrize(
    "body",
    [
        ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "b", "s3Key": "k"}],
        ["com.amazon.sqs.javamessaging.MessageS3Pointer", {"s3BucketName": "b", "s3Key": "k"}],
        _sns(["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "b", "s3Key": "k"}]),
        {"s3BucketName": "b", "s3Key": "k"},
        {
            "messageId": "m-1",
            "body": '["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]',
        },
        {"event_type": "pedido_criado", "data": {"s3BucketName": "b", "s3Key": "k"}},
    ],
)
def test_a_payload_in_s3_is_not_fetched(reason, body) -> None:
    """The message has only the address of its payload."""
    assert reason(body) == "s3_pointer"
