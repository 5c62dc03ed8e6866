"""Figures for Prometheus. Imported only if they are served."""
