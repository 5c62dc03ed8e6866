"""The writes of accounts, tokens, blocks and bans in SQLite: plain statements, which run inside a transaction."""

import sqlite3

from irchat.interfaces import writes
from irchat.interfaces.stored import GLOBAL


class AccountWriter:
    """Runs these writes on ``_connection``."""

    _connection: sqlite3.Connection

    def create_user(self, write: writes.UserCreated) -> int:
        user = self._connection.execute(
            "INSERT INTO users (name, key, password, created_at) VALUES (?, ?, ?, ?)",
            (write.name, write.key, write.password, write.at),
        ).lastrowid
        assert user is not None
        self._connection.execute(
            "INSERT INTO members (user, chat, standing, since_seq, read_seq)"
            " SELECT ?, id, 0, 0, last_seq FROM chats WHERE id = ?",
            (user, GLOBAL),
        )
        if write.token is not None:
            self.add_token(writes.TokenAdded(write.token, user, write.at, by_password=write.password is not None))
        return user

    def set_password(self, write: writes.PasswordSet) -> None:
        self._connection.execute("UPDATE users SET password = ? WHERE id = ?", (write.password, write.user))
        self.end_other_sign_ins(write)
        if write.ends_keys:
            self._connection.execute("DELETE FROM keys WHERE user = ?", (write.user,))

    def replace_hash(self, write: writes.HashReplaced) -> None:
        self._connection.execute(
            "UPDATE users SET password = ? WHERE id = ? AND password = ?", (write.new, write.user, write.old)
        )

    def add_token(self, write: writes.TokenAdded) -> None:
        self._connection.execute(
            "INSERT INTO tokens (hash, user, used_at, by_password, created_at, label) VALUES (?, ?, ?, ?, ?, ?)",
            (write.token, write.user, write.at, write.by_password, write.at, write.label),
        )

    def touch_token(self, write: writes.TokenUsed) -> bool:
        done = self._connection.execute("UPDATE tokens SET used_at = ? WHERE hash = ?", (write.at, write.token))
        return done.rowcount > 0

    def remove_token(self, write: writes.TokenRemoved) -> None:
        self._connection.execute("DELETE FROM tokens WHERE hash = ?", (write.token,))

    def add_key(self, write: writes.KeyAdded) -> bool:
        (others,) = self._connection.execute(
            "SELECT count(*) FROM keys WHERE user = ? AND blob != ?", (write.user, write.blob)
        ).fetchone()
        if others >= write.most:
            return False
        self._connection.execute(
            "INSERT INTO keys (user, kind, blob, fingerprint, comment, added_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (user, blob) DO UPDATE SET comment = excluded.comment",
            (write.user, write.kind, write.blob, write.fingerprint, write.comment, write.at),
        )
        return True

    def touch_key(self, write: writes.KeyUsed) -> bool:
        done = self._connection.execute(
            "UPDATE keys SET used_at = ? WHERE user = ? AND fingerprint = ?", (write.at, write.user, write.fingerprint)
        )
        return done.rowcount > 0

    def remove_key(self, write: writes.KeyRemoved) -> bool:
        done = self._connection.execute(
            "DELETE FROM keys WHERE user = ? AND fingerprint = ?", (write.user, write.fingerprint)
        )
        return done.rowcount > 0

    def end_sign_in(self, write: writes.SignInEnded) -> None:
        self._connection.execute("DELETE FROM tokens WHERE hash = ?", (write.token,))

    def end_other_sign_ins(self, write: writes.OtherSignInsEnded | writes.PasswordSet) -> None:
        self._connection.execute("DELETE FROM tokens WHERE user = ? AND hash IS NOT ?", (write.user, write.keep))

    def set_block(self, write: writes.BlockSet) -> None:
        self._connection.execute(
            "INSERT INTO blocks (blocker, blocked) VALUES (?, ?)"
            if write.blocked
            else "DELETE FROM blocks WHERE blocker = ? AND blocked = ?",
            (write.blocker, write.blocked_user),
        )

    def set_ban(self, write: writes.BanSet) -> None:
        self._connection.execute("DELETE FROM bans WHERE until <= ?", (write.at,))
        self.remove_ban(writes.BanRemoved(write.ban.user, write.ban.network))
        self._connection.execute(
            "INSERT INTO bans (user, network, until, reason) VALUES (?, ?, ?, ?)", tuple(write.ban)
        )

    def remove_ban(self, write: writes.BanRemoved) -> None:
        self._connection.execute("DELETE FROM bans WHERE user = ? OR network = ?", (write.user, write.network))
