"""Tests of ``irchat/server/listeners``."""
