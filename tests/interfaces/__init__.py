"""Tests of ``irchat/interfaces``."""
