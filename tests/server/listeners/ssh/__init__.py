"""Tests of `irchat.server.listeners.ssh`."""
