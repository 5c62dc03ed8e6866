"""Tests of irchat.store.postgres.log."""
