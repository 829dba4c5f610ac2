"""Every threshold of the ranking, and the words by which ECS tells things apart. They stand here, once."""

from datetime import timedelta

CURE_TAKES = timedelta(minutes=20)
"""How long before the alarm a deployment may have begun to count as somebody's answer to the trouble."""

CURE_SHOWS = timedelta(minutes=4)
"""How long after its deployment ended a cure may take to show in the metrics: whole periods, up to a minute late."""

HARDLY_OLDER = timedelta(minutes=5)
"""A release that is replaced this soon after it was rolled out was not liked by whoever shipped it."""

ERRORS_MATTER = 0.02
"""Share of failed requests from which users are said to feel it."""
ERRORS_ROSE = 3.0
ERRORS_CLEAR = 0.1
"""Share of failed requests that is trouble even if a single period shows it."""
WORSE = 2.0
"""So many times the failures of just before a deployment are another trouble."""
SLOW_S = 0.5
SLOWED = 2.0
SLOW_CLEAR_S = 1.0
LOAD_ROSE = 1.3
LOAD_FLOODS = 5.0
"""So many times the usual requests are no crowd of users any more."""
SEVERITY_TELLS = {"CRITICAL": 0.95, "HIGH": 0.9, "MEDIUM": 0.8, "LOW": 0.5}
"""How sure a finding of GuardDuty makes of a breach, by its level."""
TASKS_ROSE = 1.5
REQUESTS_KEPT_COMING = 0.6
CPU_HIGH = 75.0
CPU_ROSE = 1.3
CPU_BEARABLE = 75.0
"""Percent above which tasks keep users waiting, however many there are."""
CPU_COLLAPSED = 0.4
CPU_WORTH_COMPARING = 5.0
CPU_WASTED = 35.0
"""Percent below which tasks that became many are more than the load needs."""
MEMORY_FULL = 90.0
MEMORY_TIGHT, MEMORY_RISES, MEMORY_STEP = 70.0, 20.0, 3.0
"""Percent from which memory that rises by so many points above the usual, and still by so many within the window, is
told to climb."""

LOCKED_OUT_WITHIN = timedelta(minutes=15)
"""Error lines are read for no longer than that: about an older change they tell nothing."""

COMPLAINTS_TELL = 10
"""So few error lines say nothing about what most of them complain about."""
COMPLAINTS_AGREE = 0.5
"""Share of the error lines from which they are said to complain about one thing."""

LATELY = timedelta(minutes=15)
"""How long ago a stopped task or an event still speaks of the trouble of now."""
CRASHES_COUNT = 2
"""One task may stop by itself at any time."""

STALLED_AFTER = timedelta(seconds=120)
"""A task on Fargate is up within 20 to 60 s and its image's pull: a deployment of which nothing runs by then hangs."""

AFTERMATH = timedelta(seconds=90)
"""How long clients are given to connect again by themselves, once what they stand on is back: a whole period at least,
in which it shows that they do not."""

CANNOT_PULL = ("CannotPullContainerError", "CannotPullImageManifestError")
"""How ECS begins the reason where an image could not be pulled (Developer Guide, "Stopped tasks error messages")."""
NOT_THERE = ("not found", "does not exist", "manifest unknown", "name unknown", "no matching manifest")
CANNOT_INITIALISE = "ResourceInitializationError"
SECRET_GONE = ("can't find the specified secret", "ResourceNotFoundException", "invalid ssm parameters")
KILLED_FOR_MEMORY = "OutOfMemory"
NO_CAPACITY = ("Capacity is unavailable", "RESOURCE:FARGATE", "insufficient capacity")
SAID_LATELY = timedelta(minutes=10)
"""ECS says again and again what it cannot do; what it said longer ago may be over."""
VCPU_HOUR_USD, GB_HOUR_USD = 0.04048, 0.004445
"""List price of Fargate on Linux and x86 in us-east-1; elsewhere it differs by some percent, so it is an estimate."""
NO_ROOM = "because of the service deployment configuration"

NOBODY_SERVED = 0.95
"""Share of failed requests from which a service is as good as down."""
ERRORS_P1, ERRORS_P2 = 0.1, 0.05
"""Share of failed requests from which an incident is a P1 or a P2, as runbooks for ECS have it."""
FAILURES_TELL = 10
"""With fewer failed requests than this in the window, their share makes no more than a P2: one of two is a half."""
SLOW_P2_S = 5.0
"""Response time that is a P2: runbooks call it anything from a warning to a P1."""
