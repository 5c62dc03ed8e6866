"""The state of the core in memory: users, groups, blocks and bans as committed, and presence."""
