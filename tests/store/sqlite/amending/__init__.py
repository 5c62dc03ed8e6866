"""Tests of ``irchat/store/sqlite/amending``."""
