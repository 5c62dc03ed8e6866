"""Tests of ``irchat/chat/state``."""
