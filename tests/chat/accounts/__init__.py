"""Tests of ``irchat/chat/accounts``."""
