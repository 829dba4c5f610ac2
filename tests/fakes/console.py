"""A console over a ledger that a test has made, and a browser in front of it that keeps cookies and reads forms."""

from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from threading import Lock

from werkzeug.test import TestResponse

from functions.playbooks.schema import Playbook
from tests.fakes.desk import IDENTITY
from tests.fakes.engine import Responder
from tools.console.app import make_app
from tools.console.guard import Door
from tools.console.room import Room

ADDRESS = "127.0.0.1:8000"


def room_of(made: Responder, *, playbooks: Iterable[Playbook] | None = None, drill_file: Path | None = None) -> Room:
    """Ann at the desk of that responder."""
    known = [made.playbook] if playbooks is None else playbooks
    return Room(
        region=made.playbook.region,
        by="ann",
        identity=IDENTITY,
        ledger=made.ledger,
        archive=made.archive,
        readers=made.world.readers,
        examiner=made.examiner,
        answers=made.people,
        executions=made.executions,
        now=made.clock.now,
        playbooks={playbook.ref.key: playbook for playbook in known},
        drill_file=drill_file,
    )


class Visitor:
    """Somebody's browser. It is let in when it is made, unless it is a stranger's."""

    def __init__(self, room: Room, *, stranger: bool = False) -> None:
        self.links: list[str] = []
        self.door = Door(say=self.links.append)
        self.door.stands_at(ADDRESS)
        self.door.link()
        self.app = make_app(room, self.door, writing=Lock())
        self.client = self.app.test_client()
        if not stranger:
            assert self.get(self.links[-1].removeprefix(f"http://{ADDRESS}")).status_code == 200

    def get(self, path: str, *, host: str = ADDRESS) -> TestResponse:
        return self.client.get(path, base_url=f"http://{host}", buffered=True)

    def post(
        self,
        path: str,
        fields: Mapping[str, str],
        *,
        origin: str | None = f"http://{ADDRESS}",
        token: str | None = None,
    ) -> TestResponse:
        """Send a form, with this session's token unless another one is given."""
        with self.client.session_transaction(base_url=f"http://{ADDRESS}") as session:
            own = session.get("token", "")
        headers = {} if origin is None else {"Origin": origin}
        data = {"token": own if token is None else token, **fields}
        return self.client.post(path, base_url=f"http://{ADDRESS}", data=data, headers=headers)

    def read(self, path: str) -> "Read":
        """A page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return Read(answer.text)

    def follow(self, answer: TestResponse) -> "Read":
        """Where a form led to."""
        assert answer.status_code == 302, answer.text
        return self.read(answer.headers["Location"])


class Read(HTMLParser):
    """A page taken apart."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._text: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    @property
    def text(self) -> str:
        """What is read, with single spaces."""
        return " ".join(" ".join(self._text).split())

    def links(self, begins: str) -> list[str]:
        return [str(a["href"]) for tag, a in self.tags if tag == "a" and str(a.get("href")).startswith(begins)]

    def forms(self) -> list[str]:
        """Where its forms that change something lead to."""
        return [str(a["action"]) for tag, a in self.tags if tag == "form" and a.get("method") == "post"]

    def field(self, name: str) -> str:
        return next(str(a["value"]) for tag, a in self.tags if tag == "input" and a.get("name") == name)
