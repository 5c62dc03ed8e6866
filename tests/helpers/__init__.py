"""Helpers for tests: fakes, whole servers and clients, loads."""
