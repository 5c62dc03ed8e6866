"""Tests of ``irchat/store/sqlite/search``."""
