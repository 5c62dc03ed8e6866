"""The client runs without the server's code. The layer check of .ci/run ignores imports for types."""

import json
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

_IMPORT_ALL = """
import importlib, json, pkgutil, sys
import irchat.client

for module in pkgutil.walk_packages(irchat.client.__path__, "irchat.client."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


class ClientImportsTests(SynchronousTestCase):
    """The modules that the client imports when it runs."""

    def test_no_server(self) -> None:
        """No module of the client loads the core, the store, the server or their interfaces, even indirectly."""
        loaded = json.loads(subprocess.check_output([sys.executable, "-c", _IMPORT_ALL], timeout=60))
        self.assertIn("irchat.commands", loaded)
        parts = {name.split(".")[1] for name in loaded if name.startswith("irchat.")}
        self.assertEqual(parts & {"chat", "store", "server", "interfaces"}, set())
