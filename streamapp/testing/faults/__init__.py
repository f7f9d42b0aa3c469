"""What goes wrong on command in the SQS and the store for tests, and the ledger of what happened."""
