"""Tests of ``irchat/net``."""
