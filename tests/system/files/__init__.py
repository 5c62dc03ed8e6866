"""Tests of ``irchat/system/files``."""
