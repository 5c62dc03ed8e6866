"""The core: accounts, chats, messages and who may see them. It knows no socket, no encoding and no SQL."""
