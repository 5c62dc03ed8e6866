"""Stores for messages, accounts, groups and blocks. All SQL of the project is here."""
