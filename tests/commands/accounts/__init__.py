"""Tests of ``irchat/commands/accounts``."""
