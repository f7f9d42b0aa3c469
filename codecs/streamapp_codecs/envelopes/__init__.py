"""Open what events are wrapped in, down to parts that are one event each, and find out the kind of each part."""
