"""What an app declares: tables, sinks, indexes, and what people are shown of them."""
