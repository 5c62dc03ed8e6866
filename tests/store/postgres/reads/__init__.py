"""Tests of irchat.store.postgres.reads."""
