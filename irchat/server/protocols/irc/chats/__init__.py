"""Chats as channels: JOIN, PART, INVITE, KICK, NAMES, and the changes that other sessions make."""
