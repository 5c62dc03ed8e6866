"""pytest runs each test in a folder of its own, where trial's ``mktemp`` leaves its files."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Change to a fresh folder."""
    monkeypatch.chdir(tmp_path)
    yield
