"""Run the targets of `tests.helpers.fuzz_targets` under atheris, a coverage-guided fuzzer.

``python -m tests.fuzz_atheris json -max_total_time=300`` runs until it finds a fault, or for as long as the options of
libFuzzer say. It writes the fault to a file ``crash-...``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["irchat"]):
    from tests.helpers import fuzz_targets

_SEEDS = [
    b'{"type":"send","chat":"GLOBAL","text":"hi","expires_in":3,"nonce":"n","ref":1}',
    b'{"type":"history","chat":"@bob","after":0,"limit":5,"mark_read":true}\n{"type":"line","line":"*bob -> team"}',
    b"@label=1;+a=b :x PRIVMSG #global,bob :hi\r\nJOIN #a\r\nCAP LS 302\r\n"
    b"WHO #a %tna,1\r\nBATCH +1 draft/multiline bob\r\n",
    b"AUTHENTICATE PLAIN\r\nCHATHISTORY LATEST #global * 5\r\nMARKREAD bob timestamp=2026-03-02T14:03:00.000Z\r\n",
    b"*30*team hi\n@bob hi\nls -n @bob\n~bob\n!password\n+bob team\n\xfe\xfd\n",
]


def main() -> None:
    """Fuzz one target."""
    target = fuzz_targets.TARGETS[sys.argv.pop(1)]
    seeds = Path(tempfile.mkdtemp(prefix="irchat-seeds-"))
    for number, seed in enumerate(_SEEDS):
        (seeds / str(number)).write_bytes(seed)
    # The first folder, if given, collects the corpus. A file is run again.
    is_again = any(Path(argument).is_file() for argument in sys.argv[1:])
    atheris.Setup(sys.argv if is_again else [*sys.argv, str(seeds)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
