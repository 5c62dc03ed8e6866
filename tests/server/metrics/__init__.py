"""Tests of irchat.server.metrics."""
