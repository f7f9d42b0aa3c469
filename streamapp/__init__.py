"""A Faust-like stream processing app on SQS."""
