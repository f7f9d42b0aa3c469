"""All rules; importing their modules declares them."""

from testing.sqs import rules_fifo as sqs_rules_fifo
from testing.sqs import rules_queues as sqs_rules_queues
from testing.sqs import rules_receiving as sqs_rules_receiving
from testing.sqs import rules_sending as sqs_rules_sending
from testing.sqs.rules import RULES

__all__ = ["RULES", "sqs_rules_fifo", "sqs_rules_queues", "sqs_rules_receiving", "sqs_rules_sending"]
