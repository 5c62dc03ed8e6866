"""The cost of each request."""

from pathlib import Path
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from irchat.commands.inquiries import Inquiry
from irchat.protocol import requests
from irchat.server.sessions import costs
from irchat.server.sessions.costs import COSTS, messages_of


class CostsTests(SynchronousTestCase):
    """`COSTS` and `messages_of`."""

    def test_every_request_costs(self) -> None:
        """Each request but a `line`, which costs what the command does, and a `pong` costs work; what tells others, or
        writes what has a commit of its own, counts as a message too."""
        kinds = [kind for kind in vars(requests).values() if isinstance(kind, type)]
        every = {kind for kind in kinds if issubclass(kind, requests.Request)}
        self.assertEqual(set(COSTS) - {Inquiry}, every - {requests.Request, requests.Line, requests.Pong})
        self.assertEqual([request for request, cost in COSTS.items() if cost.work <= 0], [])
        changes = {requests.Send, requests.Notice, requests.Amend, requests.AmendLast, requests.Mark, requests.Alert,
                   requests.CreateGroup, requests.AddMember, requests.RemoveMember, requests.Block,
                   requests.Password, requests.Kick, requests.Ban, requests.Unban,
                   requests.Notice, requests.EndSessions, requests.EndListed, requests.AddKey,
                   requests.RemoveKey}  # fmt: skip
        self.assertEqual({request for request, cost in COSTS.items() if cost.messages}, changes)

    def test_in_the_docs(self) -> None:
        """The documentation has the same figures."""
        said = " ".join((Path(__file__).parents[3] / "docs" / "operations.rst").read_text("utf-8").split())
        for wanted in (
            f"even an empty or invalid one: {costs.WORK_OF_LINE:g} ms,",
            f"A ping costs {COSTS[requests.Ping].work:g} ms, a page of history {COSTS[requests.History].work:g} ms,",
            f"a search {COSTS[requests.Search].work:g} ms, a refusal another {costs.WORK_OF_REFUSED_LINE:g} ms,",
            f"each {costs.BYTES_OF_MS:,} bytes of a long line or reply 1 ms,",
            f"a message {COSTS[requests.Send].work:g} ms",
            f"plus {costs.WORK_OF_RECIPIENT:g} ms for each session that receives it,",
            f"a question of the text protocol {costs.WORK_OF_QUESTION:g} ms,",
            f"an HTTP request {costs.WORK_OF_PAGE:g} ms, and a TLS handshake {costs.WORK_OF_CONNECTION:g} ms.",
            f"A user has {costs.WORK_A_SECOND:g} ms of work per second and up to {costs.WORK_AT_ONCE:g} ms at once;",
            f"an address has {costs.ADDRESS_SHARE:g} times as much.",
            f"A sign-in costs {COSTS[requests.Login].work:g} ms,",
        ):
            self.assertIn(wanted, said)

    def test_what_counts_for_several(self) -> None:
        """A group counts by its members, a block by how many users are blocked already, an edit twice, any other change
        once. To ask for a setting is no change."""
        group = requests.CreateGroup(name="team", members=[f"user{number}" for number in range(100)])
        user = SimpleNamespace(blocking=range(400))
        block, send = requests.Block(name="bob"), requests.Send(chat="GLOBAL", text="hi")
        counts = [messages_of(COSTS[type(request)], request, user) for request in (group, block, send)]
        self.assertEqual(counts, [3, 3, 1])
        edit = requests.Amend(chat="GLOBAL", seq=1, text="hi")
        deletion = requests.Amend(chat="GLOBAL", seq=1, delete=True)
        last = requests.AmendLast(chat="GLOBAL"), requests.AmendLast(chat="GLOBAL", text="hi")
        alerts = requests.Alert(chat="GLOBAL"), requests.Alert(chat="GLOBAL", alert="none")
        mark = requests.Mark(chat="GLOBAL", seq=1, mark="ok")
        each = (edit, deletion, *last, *alerts, mark)
        counts = [messages_of(COSTS[type(request)], request, user) for request in each]
        self.assertEqual(counts, [2, 1, 1, 2, 0, 1, 1])

    def test_what_counts_once(self) -> None:
        """Every other change counts as one message, and a password, which is hashed, as five."""
        counts = {request: cost.messages for request, cost in COSTS.items() if isinstance(cost.messages, int)}
        self.assertEqual(counts.pop(requests.Password), 5)
        self.assertEqual({count for count in counts.values() if count}, {1})
