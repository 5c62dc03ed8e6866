"""The core: who may say what to whom, and who is told. It knows no socket, no encoding and no SQL."""
