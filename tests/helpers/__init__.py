"""Helpers of the tests: fakes, whole servers and clients, loads."""
