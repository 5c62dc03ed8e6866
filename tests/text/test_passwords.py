"""Passwords in the form in which they are compared."""

from hypothesis import given
from hypothesis import strategies as st
from precis_i18n import get_profile
from twisted.trial.unittest import SynchronousTestCase

from irchat.text.passwords import prepared

_PROFILE = get_profile("OpaqueString")


class PreparedTests(SynchronousTestCase):
    """`prepared`."""

    def test_forms(self) -> None:
        """Compositions and kinds of space are unified. Case, width and forbidden characters stay."""
        self.assertEqual(prepared("cafe\u0301\u00a0\u3000x"), "caf\u00e9  x")
        for password in ("Caf\u00e9", "\uff43afe", "a\tb\x7f", "\ud800", "\U0001fae9", "", "plain"):
            self.assertEqual(prepared(password), password)

    @given(st.text())
    def test_as_the_profile_has_it(self, password: str) -> None:
        """The result is that of RFC 8265's OpaqueString if it allows the password. Preparing twice changes nothing."""
        self.assertEqual(prepared(prepared(password)), prepared(password))
        try:
            expected = _PROFILE.enforce(password)
        except (UnicodeEncodeError, ValueError):
            return
        self.assertEqual(prepared(password), expected)
