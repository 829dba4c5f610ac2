"""What a DynamoDB table takes, and how evenly its keys are used."""

from functions.domain.model import Model


class TableFacts(Model):
    """One table (DynamoDB API reference, TableDescription). Units are those of a second; None where there is no limit.

    The keys themselves are left out: they may be personal data, and how concentrated they are tells enough.
    """

    name: str
    """As the playbook calls the dependency."""
    on_demand: bool
    read_units: int | None = None
    """Provisioned, or the most that the table was allowed on demand."""
    write_units: int | None = None
    indexes: int = 0
    """Global secondary indexes, which throttle the table's writes when they are throttled themselves."""
    insights: str = ""
    """ContributorInsightsStatus; empty where it could not be read."""
    keys: int | None = None
    """Different partition keys that were throttled lately, about; None where nobody counted."""
    top_share: float | None = None
    """Share of the throttled requests that the most frequent of them had, from 0 to 1."""
    first_share: float | None = None
    """The same of the most frequent ones together, five at most."""


class TablesFacts(Model):
    """The tables that throttle. `asked` is False where none does: then nothing was read."""

    asked: bool = False
    tables: tuple[TableFacts, ...] = ()
