"""What the build makes itself: the long description for a package index, which has no pictures of this folder."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# The picture, the text in its place, and the paragraph below that tells of it.
_PICTURE = re.compile(r"\.\. image:: docs/\S+\n(?:   .*\n)+\n")
_FILES = re.compile(r"``((?:docs/[\w.-]+|NEWS\.rst|LICENSE))``")


class LongDescription(MetadataHookInterface):
    """The README without the picture, and with the files that it names said to be in the source distribution."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``readme``, which pyproject.toml calls dynamic."""
        text = Path(self.root, "README.rst").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/x-rst", "text": long_description(text)}


def long_description(readme: str) -> str:
    """Return ``readme`` as it is shown where the files beside it are not."""
    text, count = _PICTURE.subn("", readme)
    if count != 1:
        raise ValueError("README.rst should have one picture")
    named = sorted(set(_FILES.findall(text)))
    return f"{text}\nThe files {', '.join(f'``{name}``' for name in named)} are in the source distribution.\n"
