"""Tests of ``irchat/chat/timed``."""
