"""The SQS servers of the benchmark."""
