"""Loads and failures for whole servers: crowds, kills, power cuts, slow readers, abuse."""
