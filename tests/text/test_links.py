"""Links in texts."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from irchat.text.links import Link, find_links, shown_host, target_of


def _found(text: str) -> list[str]:
    return [link.text for link in find_links(text)]


class LinksTests(SynchronousTestCase):
    """`find_links`."""

    def test_addresses(self) -> None:
        """An address ends before the punctuation of the sentence, and before a bracket opened in front of it."""
        text = "see https://a.example/x_(y), (http://b.example/?q=1#f) and https://c.example. https:// is none"
        self.assertEqual(_found(text), ["https://a.example/x_(y)", "http://b.example/?q=1#f", "https://c.example"])

    def test_messages(self) -> None:
        """A message of a group or of GLOBAL is a link; a removed user's name and other texts are not."""
        self.assertEqual(find_links("as in *team#17"), [Link("*team#17", 6, 14, "*team", 17)])
        self.assertEqual(_found("(GLOBAL#3), *дом#4."), ["GLOBAL#3", "*дом#4"])
        self.assertEqual(_found("@bob#7 x*team#17 *team #17 *team#017 *team#17x #17 GLOBAL#"), [])

    @given(st.text(st.sampled_from("htps:/.()#*a1 GLOBAL,]")))
    def test_places(self, text: str) -> None:
        """Links are where they say, in order, and do not overlap."""
        end = 0
        for link in find_links(text):
            self.assertEqual(text[link.start : link.end], link.text)
            self.assertGreaterEqual(link.start, end)
            end = link.end

    def test_long(self) -> None:
        """A long text of brackets takes linear time."""
        self.assertEqual(_found("https://" + ")" * 4_000), [])

    def test_targets(self) -> None:
        """A target is ASCII. A host in other letters is shown in punycode, and another one not at all."""
        address = "https://аррӏе.com/ä?q=ü#x%20y"
        self.assertEqual(target_of(address), "https://xn--80ak6aa92e.com/%C3%A4?q=%C3%BC#x%20y")
        self.assertEqual(shown_host(address), "xn--80ak6aa92e.com")
        self.assertEqual((shown_host("https://a.example/ä"), target_of("http://a:1/b")), ("", "http://a:1/b"))
