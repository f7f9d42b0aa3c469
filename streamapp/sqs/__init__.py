"""Clients of SQS: the calls that everything above is made of, over aioboto3 or over connections of our own."""
