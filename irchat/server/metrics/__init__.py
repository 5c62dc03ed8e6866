"""Figures for Prometheus. Nothing here is imported unless they are served."""
