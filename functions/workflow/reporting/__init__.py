"""The report of an incident: a frozen model of everything it says, and what makes a page and a text of it."""
