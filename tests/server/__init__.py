"""Tests of ``irchat/server``."""
