"""Simulated power cuts: a shim records each write and sync of a database, so that any moment can be restored.

At any moment, the disk holds everything that was synced before, and any part of what was written since: whole writes,
sectors of them, or nothing.
"""

import random
import shutil
import struct
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from irchat.interfaces.stored import GLOBAL
from irchat.store.sqlite.copying import opened
from irchat.store.sqlite.engine import SQLiteStore
from irchat.store.threads import NoThreads
from irchat.system.clock import wall_ms
from tests.helpers.loads.many_clients import Crowd, Peer, unlimited
from tests.helpers.loads.restarts import check_database
from tests.helpers.processes import ServerProcess

COMPILER = shutil.which("gcc") or shutil.which("cc")

_SECTOR = 512
_HEAD = struct.Struct("=dBBIQ")
_WRITE, _SYNC, _TRUNCATE = 1, 2, 3

_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;

/* 1: the database, 2: its write-ahead log, 0: anything else. */
static int which(int fd) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    const char *end = strrchr(path, '/');
    end = end ? end + 1 : path;
    if (!strcmp(end, "irchat.sqlite")) return 1;
    if (!strcmp(end, "irchat.sqlite-wal")) return 2;
    return 0;
}

/* Whether writes ('w') or syncs ('s') are to fail: the file POWERCUT_FAULT says which, and the errno. */
static int fails(char kind) {
    char said[16] = {0};
    const char *path = getenv("POWERCUT_FAULT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t n = read(fd, said, sizeof said - 1);
    close(fd);
    if (n < 2 || said[0] != kind) return 0;
    errno = atoi(said + 1);
    return 1;
}

static void note(int kind, int file, uint32_t length, uint64_t offset, const void *data) {
    struct timespec now;
    if (!getenv("POWERCUT_JOURNAL")) return;
    pthread_mutex_lock(&lock);
    if (journal < 0) {
        int fd = open(getenv("POWERCUT_JOURNAL"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        journal = fcntl(fd, F_DUPFD_CLOEXEC, 900);
        close(fd);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct __attribute__((packed)) { double at; uint8_t kind, file; uint32_t length; uint64_t offset; } head =
        {now.tv_sec + now.tv_nsec / 1e9, kind, file, length, offset};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, kind == 1 ? length : 0}};
    if (writev(journal, parts, 2) < 0) abort();
    pthread_mutex_unlock(&lock);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, #name)

/* Noted before it is written: what is under way at the cut may be there or not. */
#define PWRITE(name, off) ssize_t name(int fd, const void *data, size_t length, off offset) { \
    REAL(ssize_t, name, int, const void *, size_t, off); \
    int file = which(fd); \
    if (file && fails('w')) return -1; \
    if (file) note(1, file, length, offset, data); \
    return real(fd, data, length, offset); }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define TRUNCATE(name, off) int name(int fd, off length) { \
    REAL(int, name, int, off); \
    int file = which(fd), given; \
    if (file && fails('w')) return -1; \
    given = real(fd, length); \
    if (file) note(3, file, 0, length, 0); \
    return given; }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

/* Noted after it is done: before that nothing is sure. */
#define SYNC(name) int name(int fd) { \
    REAL(int, name, int); \
    int file = which(fd), given; \
    if (file && fails('s')) return -1; \
    given = real(fd); \
    if (file && !given) note(2, file, 0, 0, 0); \
    return given; }
SYNC(fsync)
SYNC(fdatasync)
"""


class _Step(NamedTuple):
    at: float
    kind: int
    file: int
    offset: int
    data: bytes


def shim(folder: Path) -> Path:
    """Compile the shim. Return its path."""
    assert COMPILER is not None
    source, library = folder / "shim.c", folder / "shim.so"
    source.write_text(_SHIM)
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"], check=True)
    return library


def environment(library: Path, journal: Path) -> dict[str, str]:
    """Return the environment for a server under the shim, which writes ``journal``."""
    return {"LD_PRELOAD": str(library), "POWERCUT_JOURNAL": str(journal)}


class Fault:
    """A disk that fails on command, for the environment from `variables`."""

    def __init__(self, home: Path) -> None:
        self._path = home / "fault"
        self.variables = {"LD_PRELOAD": str(shim(home)), "POWERCUT_FAULT": str(self._path)}

    def writes_fail(self, error: int) -> None:
        """Make each write fail with that errno."""
        self._say(f"w{error}")

    def syncs_fail(self, error: int) -> None:
        """Make each sync fail with that errno."""
        self._say(f"s{error}")

    def passes(self) -> None:
        """End all failures."""
        self._path.unlink()

    def _say(self, what: str) -> None:
        unseen = self._path.with_suffix(".new")
        unseen.write_text(what)
        unseen.replace(self._path)


class Journal:
    """The recorded writes to a database and its log, step by step."""

    def __init__(self, path: Path) -> None:
        self.steps: list[_Step] = []
        data = path.read_bytes()
        place = 0
        while place + _HEAD.size <= len(data):
            at, kind, file, length, offset = _HEAD.unpack_from(data, place)
            place += _HEAD.size
            written = data[place : place + length] if kind == _WRITE else b""
            place += len(written)
            self.steps.append(_Step(at, kind, file, offset, written))

    def checkpoints(self) -> int:
        """Return how often the database itself was synced, which follows each checkpoint."""
        return sum(1 for step in self.steps if (step.kind, step.file) == (_SYNC, 1))

    def cuts(self, moments: list[int], chance: random.Random, folder: Path) -> Iterator[tuple[float, Path]]:
        """Cut the power after each number of steps in ``moments``. Yield the time and the database at that moment."""
        durable: dict[int, bytearray] = defaultdict(bytearray)
        unsure: dict[int, list[_Step]] = defaultdict(list)
        wanted = set(moments)
        for number, step in enumerate(self.steps):
            if number in wanted:
                database = folder / f"cut-{number}.sqlite"
                for file, path in (1, database), (2, Path(f"{database}-wal")):
                    path.write_bytes(_with_some(durable[file], unsure[file], chance))
                yield step.at, database
            if step.kind == _SYNC:
                for sure in unsure.pop(step.file, ()):
                    _do(durable[step.file], sure)
            else:
                unsure[step.file].append(step)


class _Witness(Peer):
    """Sends at the speed of the answers, and records when it learned what."""

    def __init__(self, crowd: Crowd, port: int) -> None:
        super().__init__(crowd, port)
        self.told: list[tuple[float, int, str]] = []
        self._count = 0

    def talk(self) -> None:
        """Send the next one."""
        self._count += 1
        text = f"{self._count} ".ljust(200 + self._count % 1_500, "x")
        self.post(lambda sent: self._sent(sent, text), type="send", chat="GLOBAL", text=text)

    def _sent(self, sent: dict[str, Any], text: str) -> None:
        self.told.append((time.monotonic(), sent["seq"], text))
        self.talk()


def cut_power(home: Path, seconds: float, cuts: int, seed: int) -> str:
    """Let a server work, then check ``cuts`` restored moments. Return figures. Raises AssertionError."""
    chance = random.Random(seed)
    path = home / "journal"
    server = ServerProcess(home, "--no-tls", "--no-passwords", *unlimited(), variables=environment(shim(home), path))
    crowd = Crowd()
    try:
        witness = crowd.sign_in(_Witness(crowd, server.port), "witness")
        for _ in range(20):
            witness.talk()
        crowd.run(seconds)
    finally:
        crowd.close()
        server.kill()
    journal = Journal(path)
    if not witness.told:
        raise AssertionError(server.log.read_text())
    first = next(number for number, step in enumerate(journal.steps) if step.at > witness.told[0][0])
    moments = chance.sample(range(first, len(journal.steps)), cuts)
    for at, database in journal.cuts(moments, chance, home):
        told = {seq: text for when, seq, text in witness.told if when < at}
        _check(database, told)
    return (
        f"{cuts} power cuts in {len(journal.steps)} writes and syncs, {journal.checkpoints()} checkpoints, "
        f"{len(witness.told)} messages acknowledged"
    )


def _check(database: Path, told: dict[int, str]) -> None:
    """Check that everything shown by then is stored without a gap, and that the database is undamaged."""
    store = SQLiteStore(database, NoThreads(), wall_ms)
    try:
        store.snapshot()
    finally:
        store.close()
    check_database(database)
    with opened(database) as connection:
        stored = dict(connection.execute("SELECT seq, text FROM messages WHERE chat = ?", (GLOBAL,)))
        if sorted(stored) != list(range(1, len(stored) + 1)):
            raise AssertionError(f"{database}: not in one row")
        if lost := {seq for seq, text in told.items() if stored.get(seq) != text}:
            raise AssertionError(f"{database}: {len(lost)} of {len(told)} are lost: {sorted(lost)[:5]}")
    for path in database, Path(f"{database}-wal"), Path(f"{database}-shm"):
        path.unlink(missing_ok=True)


def _with_some(durable: bytearray, unsure: list[_Step], chance: random.Random) -> bytearray:
    """Return a possible state of the disk: all synced writes, and a random part of the rest in random order."""
    content = bytearray(durable)
    mood = chance.choice((0.0, 0.5, 1.0))
    for step in unsure:
        if step.kind == _TRUNCATE or chance.random() < mood:
            _do(content, step)
        elif mood and step.data and chance.random() < 0.5:
            for begin in range(0, len(step.data), _SECTOR):
                if chance.random() < 0.5:
                    _do(content, step._replace(offset=step.offset + begin, data=step.data[begin : begin + _SECTOR]))
    return content


def _do(content: bytearray, step: _Step) -> None:
    if step.kind == _TRUNCATE:
        if step.offset <= len(content):
            del content[step.offset :]
        else:
            content.extend(bytes(step.offset - len(content)))
        return
    if len(content) < step.offset:
        content.extend(bytes(step.offset - len(content)))
    content[step.offset : step.offset + len(step.data)] = step.data
