"""Make the long description for a package index, which cannot show the files of this folder."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PICTURE = re.compile(r"\.\. image:: docs/\S+\n(?:   .*\n)+\n")
_LINK = re.compile(r"`([^`<]+) <([\w./-]+)>`__")


class LongDescription(MetadataHookInterface):
    """Hatchling's hook for the README as a package index shows it."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``readme``, which is dynamic in pyproject.toml."""
        text = Path(self.root, "README.rst").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/x-rst", "text": long_description(text)}


def long_description(readme: str) -> str:
    """Return ``readme`` without the pictures, and with the path of each file in place of the link to it."""
    text = _PICTURE.sub("", readme)
    if ".. image::" in text:
        raise ValueError("README.rst must have only pictures from docs/, each followed by an empty line")
    text = _LINK.sub(r"\1 (``\2``)", text)
    return f"{text}\nThe files that this page names are in the source distribution.\n"
