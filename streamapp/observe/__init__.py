"""What a worker reports about itself and its messages: counters, the tap, presence, traces and log lines."""
