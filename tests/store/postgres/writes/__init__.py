"""Tests of irchat.store.postgres.writes."""
