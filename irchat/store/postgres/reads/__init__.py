"""The reads: each is one transaction with one snapshot, whose position in the log is a part of its result."""
