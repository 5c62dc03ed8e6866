"""Sessions: requests, replies, and their costs."""
