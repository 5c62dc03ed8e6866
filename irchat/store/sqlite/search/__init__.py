"""Full-text search: the index, which is filled after the writes, and searches with a time budget."""
