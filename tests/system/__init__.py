"""Tests of ``irchat/system``."""
