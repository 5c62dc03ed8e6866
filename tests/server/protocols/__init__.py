"""Tests of ``irchat/server/protocols``."""
