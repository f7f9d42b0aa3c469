"""An SQS for tests: the rules of the real one, in memory and over HTTP."""
