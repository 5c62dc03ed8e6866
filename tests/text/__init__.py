"""Tests of ``irchat/text``."""
