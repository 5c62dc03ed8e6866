"""Tests of irchat.store.postgres.search."""
