"""Hooks and fixtures of pytest."""

import importlib.metadata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

# pytest asks for the version of Twisted before each test, which reads and parses a file.
importlib.metadata.version = cache(importlib.metadata.version)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run each test in a new folder, because trial's ``mktemp`` leaves its files in the current one."""
    monkeypatch.chdir(tmp_path)
    yield
