"""The port with the figures, over HTTP, for programs on this machine only."""

from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from irchat.server.listeners.listener import listening_socket
from irchat.server.metrics.figures import Figures

HOST = "127.0.0.1"
PATH = "/metrics"

_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_IDLE_SECONDS = 60


class _Page(Resource):
    """The page with the figures. It is made in the reactor's thread, which owns what it reads."""

    isLeaf = True

    def __init__(self, figures: Figures) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._figures = figures

    def render_GET(self, request: Request) -> bytes:
        """Return the figures."""
        request.setHeader(b"content-type", _TYPE)
        return self._figures.text()


class _Site(Site):
    """A site without a log of its requests, which would contain addresses."""

    noisy = False

    def log(self, request: Any) -> None:
        """Log nothing."""


def serve_figures(reactor: Any, figures: Figures, port: int) -> str:
    """Serve ``figures`` on ``port``. Return their address. Raises CannotBind."""
    root = Resource()
    root.putChild(PATH.removeprefix("/").encode(), _Page(figures))
    site = _Site(root, timeout=_IDLE_SECONDS)  # type: ignore[no-untyped-call]
    with listening_socket(HOST, port) as listening:
        reactor.adoptStreamPort(listening.fileno(), listening.family, site)
    return f"http://{HOST}:{port}{PATH}"
