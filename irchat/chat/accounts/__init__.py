"""Accounts, moderation and administration."""
