"""State, the tap and presence in Redis or Valkey: one server, a cluster, or a master that Sentinels name."""
