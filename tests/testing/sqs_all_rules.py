"""All rules; importing their modules declares them."""

import sqs_rules_fifo
import sqs_rules_queues
import sqs_rules_receiving
import sqs_rules_sending
from sqs_rules import RULES

__all__ = ["RULES", "sqs_rules_fifo", "sqs_rules_queues", "sqs_rules_receiving", "sqs_rules_sending"]
