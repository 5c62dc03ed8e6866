"""Full-text search: the words of messages as text search vectors, and searches with a time budget."""
