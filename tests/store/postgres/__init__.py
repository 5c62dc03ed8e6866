"""Tests of irchat.store.postgres."""
