"""What people do at the desk, outside of any incident, as the ledger keeps it."""

from functions.domain.model import Model, Moment


class ByHand(Model):
    """One thing that one person did. It is written down before it is done, and never changed."""

    at: Moment
    by: str
    """Who, in their own words."""
    identity: str = ""
    """The same person as IAM knows them: the ARN of the caller; empty where nobody could say."""
    what: str
    """What was about to be done, as a sentence without its subject."""
    reason: str = ""
    about: str = ""
    """The service as `region/cluster/service`, or the alarm, that it was about; empty where it was all of them."""

    @property
    def said(self) -> str:
        """All of it in a line."""
        return f"{self.by} {self.what}{self.reason and ': ' + self.reason}"
