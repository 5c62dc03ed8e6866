"""nginx, haproxy and Caddy in front of the page, with the files of docs/operations.rst."""

import re
from collections.abc import Sequence
from pathlib import Path

from irchat.server.listeners.certificates import ensure_self_signed
from tests.helpers.services import Service, program

_PAGE = Path(__file__).parents[2] / "docs" / "operations.rst"
_NGINX = """
daemon off;
pid nginx.pid;
error_log stderr;
user root;
events {{}}
http {{
access_log off;
client_body_temp_path body;
proxy_temp_path proxy;
fastcgi_temp_path fastcgi;
uwsgi_temp_path uwsgi;
scgi_temp_path scgi;
{}
}}
"""


def block(name: str) -> str:
    """Return the contents of the file for a web server."""
    pattern = rf"^{name}[^:\n]*:\n\n\.\. code-block:: \w+\n\n((?:    .*\n|\n)+)"
    found = re.findall(pattern, _PAGE.read_text("utf-8"), re.MULTILINE | re.IGNORECASE)
    (only,) = found
    return re.sub("^    ", "", only, flags=re.MULTILINE)


class WebServer(Service):
    """A web server with TLS in front of ``web_port``, on a port of the loopback interface."""

    name: str

    def __init__(self, web_port: int) -> None:
        self._program = program(self.name)
        super().__init__(self.name)
        certificate, key = ensure_self_signed(self.folder, "localhost")
        both = self.folder / "both.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        text = block(self.name)
        for old, new in (
            ("/etc/ssl/chat.crt", certificate),
            ("/etc/ssl/chat.key", key),
            ("/etc/ssl/chat.pem", both),
            (":8080", f":{web_port}"),
            ("listen 443", f"listen 127.0.0.1:{self.port}"),
            ("bind :443", f"bind 127.0.0.1:{self.port}"),
            ("chat.example {", f"localhost:{self.port} {{\nbind 127.0.0.1\ntls {certificate} {key}"),
        ):
            text = text.replace(old, str(new))
        self.settings = self.folder / "settings"
        self.settings.write_text(self.around(text))

    def around(self, text: str) -> str:
        """Return the whole file, of which the page shows a part."""
        return text


class Nginx(WebServer):
    """nginx."""

    name = "nginx"

    def around(self, text: str) -> str:
        return _NGINX.format(text)

    @property
    def command(self) -> Sequence[str]:
        return [self._program, "-p", f"{self.folder}/", "-c", str(self.settings), "-e", "stderr"]


class HttpHaproxy(WebServer):
    """haproxy as a web server."""

    name = "haproxy"

    @property
    def command(self) -> Sequence[str]:
        return [self._program, "-db", "-f", str(self.settings)]


class Caddy(WebServer):
    """Caddy, with the certificate of the test in place of one that it gets by itself."""

    name = "caddy"

    def around(self, text: str) -> str:
        return f"{{\nadmin off\nauto_https disable_redirects\n}}\n{text}"

    @property
    def command(self) -> Sequence[str]:
        home = [f"{name}={self.folder}" for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")]
        return ["env", *home, self._program, "run", "--adapter", "caddyfile", "--config", str(self.settings)]
