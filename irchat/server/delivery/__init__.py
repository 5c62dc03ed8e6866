"""Delivery of publications to sessions: outboxes, slow readers, presence, the end of timed messages."""
