"""What the tests share: fakes, whole servers and clients, loads."""
