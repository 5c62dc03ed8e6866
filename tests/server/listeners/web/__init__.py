"""Tests of irchat.server.listeners.web."""
