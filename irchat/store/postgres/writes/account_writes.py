"""The writes of accounts, tokens, blocks and bans in PostgreSQL: plain statements, inside the transaction of a turn."""

from msgspec import structs

from irchat.interfaces import writes
from irchat.interfaces.stored import GLOBAL
from irchat.store.postgres.connecting import Connection

_NEW_USER = (
    "WITH made AS (INSERT INTO users (name, key, password, created_at) VALUES (%s, %s, %s, %s) RETURNING id), joined AS"
    " (INSERT INTO members (user_id, chat, standing, since_seq, read_seq)"
    " SELECT made.id, chats.id, 0, 0, last_seq FROM made, chats WHERE chats.id = %s) SELECT id FROM made"
)


class AccountWriter:
    """Runs these writes on ``_connection``."""

    _connection: Connection

    def create_user(self, write: writes.UserCreated) -> int:
        row = self._connection.execute(_NEW_USER, (write.name, write.key, write.password, write.at, GLOBAL)).fetchone()
        user: int = row[0]  # type: ignore[index]
        if write.token is not None:
            self.add_token(writes.TokenAdded(write.token, user, write.at, by_password=write.password is not None))
        return user

    def set_password(self, write: writes.PasswordSet) -> None:
        self._connection.execute("UPDATE users SET password = %s WHERE id = %s", (write.password, write.user))
        self.end_other_sign_ins(write)
        if write.ends_keys:
            self._connection.execute("DELETE FROM keys WHERE user_id = %s", (write.user,))

    def replace_hash(self, write: writes.HashReplaced) -> None:
        self._connection.execute(
            "UPDATE users SET password = %s WHERE id = %s AND password = %s", (write.new, write.user, write.old)
        )

    def add_token(self, write: writes.TokenAdded) -> None:
        self._connection.execute(
            "INSERT INTO tokens (hash, user_id, used_at, by_password, created_at, label)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (write.token, write.user, write.at, write.by_password, write.at, write.label),
        )

    def touch_token(self, write: writes.TokenUsed) -> bool:
        done = self._connection.execute("UPDATE tokens SET used_at = %s WHERE hash = %s", (write.at, write.token))
        return done.rowcount > 0

    def remove_token(self, write: writes.TokenRemoved) -> None:
        self._connection.execute("DELETE FROM tokens WHERE hash = %s", (write.token,))

    def add_key(self, write: writes.KeyAdded) -> bool:
        done = self._connection.execute(
            "INSERT INTO keys (user_id, kind, blob, fingerprint, comment, added_at)"
            " SELECT %(user)s, %(kind)s, %(blob)s, %(fingerprint)s, %(comment)s, %(at)s"
            " WHERE (SELECT count(*) FROM keys WHERE user_id = %(user)s AND blob <> %(blob)s) < %(most)s"
            " ON CONFLICT (user_id, blob) DO UPDATE SET comment = excluded.comment",
            structs.asdict(write),
        )
        return done.rowcount > 0

    def touch_key(self, write: writes.KeyUsed) -> bool:
        done = self._connection.execute(
            "UPDATE keys SET used_at = %s WHERE user_id = %s AND fingerprint = %s",
            (write.at, write.user, write.fingerprint),
        )
        return done.rowcount > 0

    def remove_key(self, write: writes.KeyRemoved) -> bool:
        done = self._connection.execute(
            "DELETE FROM keys WHERE user_id = %s AND fingerprint = %s", (write.user, write.fingerprint)
        )
        return done.rowcount > 0

    def end_sign_in(self, write: writes.SignInEnded) -> None:
        self._connection.execute("DELETE FROM tokens WHERE hash = %s", (write.token,))

    def end_other_sign_ins(self, write: writes.OtherSignInsEnded | writes.PasswordSet) -> None:
        self._connection.execute(
            "DELETE FROM tokens WHERE user_id = %s AND hash IS DISTINCT FROM %s::bytea", (write.user, write.keep)
        )

    def set_block(self, write: writes.BlockSet) -> None:
        self._connection.execute(
            "INSERT INTO blocks (blocker, blocked) VALUES (%s, %s)"
            if write.blocked
            else "DELETE FROM blocks WHERE blocker = %s AND blocked = %s",
            (write.blocker, write.blocked_user),
        )

    def set_ban(self, write: writes.BanSet) -> None:
        self._connection.execute("DELETE FROM bans WHERE until <= %s", (write.at,))
        self.remove_ban(writes.BanRemoved(write.ban.user, write.ban.network))
        self._connection.execute(
            "INSERT INTO bans (user_id, network, until, reason) VALUES (%s, %s, %s, %s)", tuple(write.ban)
        )

    def remove_ban(self, write: writes.BanRemoved) -> None:
        self._connection.execute("DELETE FROM bans WHERE user_id = %s OR network = %s", (write.user, write.network))
