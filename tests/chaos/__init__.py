"""The rig: real worker processes, a real Valkey and an SQS over HTTP that keeps a ledger, and what breaks them."""
