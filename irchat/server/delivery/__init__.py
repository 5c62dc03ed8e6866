"""Publications on their way to sessions: outboxes, slow readers, presence, timed text that ends."""
