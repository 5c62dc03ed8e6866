"""Accounts, and what administrators do to them."""
