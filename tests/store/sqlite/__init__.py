"""Tests of ``irchat/store/sqlite``."""
