"""Tests of ``irchat/store``."""
