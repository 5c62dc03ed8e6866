"""The contracts between the core, a store and a bus, and the values that pass between them."""
