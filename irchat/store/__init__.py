"""Stores for messages, accounts, groups and blocks. SQL is found here only."""
