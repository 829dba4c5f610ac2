"""What may speak for a breach: doors that stand open, images with known holes, and calls that were denied."""

from functions.domain.model import Model, Moment


class OpenDoor(Model):
    """A rule of a security group that lets everybody in (EC2 API reference, IpPermission)."""

    group: str
    protocol: str
    """tcp, udp, icmp or a number; `-1` is every protocol."""
    first: int | None = None
    """First and last port; None where the rule is for all of them, or the protocol has none."""
    last: int | None = None
    source: str
    """0.0.0.0/0 or ::/0."""

    def only(self, port: int) -> bool:
        return self.first == self.last == port

    @property
    def what(self) -> str:
        if self.protocol == "-1":
            return "everything"
        if self.first is None or (self.first, self.last) in ((-1, -1), (0, 65535)):
            return f"all of {self.protocol}"
        return f"{self.protocol} {self.first}" + ("" if self.first == self.last else f" to {self.last}")


class ExposureFacts(Model):
    """Who may reach the tasks. `asked` is False where the playbook does not ask for it: then nothing was read."""

    asked: bool = False
    doors: tuple[OpenDoor, ...] = ()


class ImageFacts(Model):
    """One running image and what the scan of ECR found in it."""

    image: str
    """Repository and digest, as short as people read it."""
    status: str
    """COMPLETE or ACTIVE where there are findings, otherwise why there are none."""
    critical: int = 0
    high: int = 0


class ImagesFacts(Model):
    """The images of the running tasks; `asked` as above."""

    asked: bool = False
    images: tuple[ImageFacts, ...] = ()


class CallFacts(Model):
    """One call to AWS, as CloudTrail tells it."""

    at: Moment
    event: str
    source: str
    """The service that was called, for example iam.amazonaws.com."""
    by: str
    """Who: role and session or user, redacted."""
    denied: bool
    own: bool
    """Made with the credentials of the service's own tasks."""


class DenialsFacts(Model):
    """Calls that change something, newest first: those denied that concern the service, and those of its own tasks."""

    asked: bool = False
    calls: tuple[CallFacts, ...] = ()
    partial: bool = False
    """There were more calls in the account than one request tells."""
