"""Changes of stored messages: edits, deletions, marks and mentions, and how they are read."""
