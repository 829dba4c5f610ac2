"""Profiles, Regions and credentials, as the AWS CLI has them; and one clear error where they are missing or over.

`--profile` stands for the environment's AWS_PROFILE and, as in the AWS CLI, comes before keys in the environment (AWS
CLI User Guide, "Configuration and credential precedence").
"""

import os
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import click

from functions.domain.errors import InputError, LedgerError, ReadFailed, ResponderError

P = ParamSpec("P")
T = TypeVar("T")

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

NOT_KNOWN = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "RequestExpired",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
"""Error codes by which services refuse credentials that are over or that they do not know (IAM User Guide,
"Troubleshoot temporary security credentials"; common errors of the API references)."""


class NotSignedIn(InputError):
    """There are no AWS credentials, or none that hold."""


def _chosen(context: click.Context, parameter: click.Parameter, profile: str | None) -> None:
    """Whatever is made of the AWS configuration from here on is made of this profile."""
    if profile is None:
        return
    os.environ["AWS_PROFILE"] = profile
    for key in KEYS:
        os.environ.pop(key, None)


profile_option = click.option(
    "--profile",
    metavar="NAME",
    expose_value=False,
    callback=_chosen,
    help="Profile of your AWS configuration, instead of AWS_PROFILE.",
)


def configured_region() -> str | None:
    """The Region of the profile, where there is one."""
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        region: str | None = Session().get_config_variable("region")
    except BotoCoreError:
        return None
    return region


def on_aws(open_it: Callable[P, T]) -> Callable[P, T]:
    """For what opens a way to AWS: credentials are looked at first, and not once for each of many calls.

    Raises:
        NotSignedIn: there are no credentials, or their sign-in is over.
        ReadFailed: something else in the AWS configuration cannot be used.
    """

    @wraps(open_it)
    def opened(*arguments: P.args, **named: P.kwargs) -> T:
        from botocore.exceptions import BotoCoreError

        _signed_in(os.environ.get("AWS_PROFILE"))
        try:
            return open_it(*arguments, **named)
        except BotoCoreError as unusable:
            raise ReadFailed(f"AWS cannot be reached: {unusable}") from unusable

    return opened


@cache
def _signed_in(profile: str | None) -> None:
    """Fetch the credentials, which asks AWS where they come from a sign-in or a role."""
    from botocore.exceptions import BotoCoreError, ProfileNotFound, SSOError, TokenRetrievalError
    from botocore.session import Session

    login = f"aws sso login{'' if profile is None else f' --profile {profile}'}"
    try:
        found = Session().get_credentials()
        if found is not None:
            found.get_frozen_credentials()
    except ProfileNotFound:
        raise NotSignedIn(
            f"your AWS configuration has no profile {profile}; `aws configure list-profiles` shows those it has"
        ) from None
    except (SSOError, TokenRetrievalError) as over:
        raise NotSignedIn(f"your AWS sign-in is over; run `{login}`, then this again") from over
    except BotoCoreError as unusable:
        raise NotSignedIn(f"your AWS credentials cannot be used: {unusable}") from unusable
    if found is None:
        raise NotSignedIn(
            f"there are no AWS credentials; run `{login}` or `aws configure`, or name a profile with --profile"
        )


def verified(region: str) -> None:
    """Ask AWS whether it knows the credentials: for what would else fail in each of many calls.

    Raises:
        NotSignedIn: AWS does not know them, or they are over.
    """
    from functions import bootstrap

    try:
        bootstrap.desk_identity(region)
    except ReadFailed as error:
        hint = hint_of(error)
        if hint is not None:
            raise NotSignedIn(f"{error}\n{hint}") from error


def hint_of(error: ResponderError) -> str | None:
    """What to do, where AWS refused the credentials themselves, or has no table of that name; None where it is about
    something else."""
    cause: Any = error.__cause__
    while cause is not None:
        told = getattr(cause, "response", None)
        code = told.get("Error", {}).get("Code") if isinstance(told, dict) else None
        if code in NOT_KNOWN:
            profile = os.environ.get("AWS_PROFILE")
            login = f"aws sso login{'' if profile is None else f' --profile {profile}'}"
            return f"your AWS credentials are over or not known there; run `{login}`, or name another --profile"
        if code == "ResourceNotFoundException" and isinstance(error, LedgerError):
            return (
                "no responder has its table there: is it the right Region and account? write another --region or "
                "--profile, or --table for a responder of another name"
            )
        cause = cause.__cause__
    return None
