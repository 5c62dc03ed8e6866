"""Tests of ``irchat/server/delivery``."""
