"""Fingerprints of certificates."""

from twisted.trial.unittest import SynchronousTestCase

from irchat.net.fingerprints import fingerprint_of, parse_fingerprint

# SHA-256 of the empty string, from FIPS 180's examples.
_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_EMPTY_SHOWN = "sha256:E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55"


class FingerprintTests(SynchronousTestCase):
    """A fingerprint is written in one form and read in several."""

    def test_of(self) -> None:
        """A certificate's fingerprint is its SHA-256, in pairs of hex digits."""
        self.assertEqual(fingerprint_of(b""), _EMPTY_SHOWN)

    def test_parse(self) -> None:
        """Case, colons and the prefix do not matter when one is parsed."""
        for text in _EMPTY, _EMPTY.upper(), _EMPTY_SHOWN, _EMPTY_SHOWN.lower(), "SHA256:" + _EMPTY:
            self.assertEqual(parse_fingerprint(text), _EMPTY_SHOWN)

    def test_none(self) -> None:
        """Text that is not a SHA-256 fingerprint is refused."""
        for text in "", _EMPTY[1:], _EMPTY + "00", "g" + _EMPTY[1:], "sha1:" + _EMPTY:
            self.assertRaises(ValueError, parse_fingerprint, text)
