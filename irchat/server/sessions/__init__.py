"""Signed-in sessions: requests, replies, what each may cost."""
