"""Tests of ``irchat/chat``."""
