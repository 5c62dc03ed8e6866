"""Tests of ``irchat/commands``."""
