"""What the core needs from a store and a bus, and the values that pass between them."""
