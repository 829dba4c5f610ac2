"""What is taken out of text before it is stored."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.redaction import REDACTED, clean, redact

SECRETS = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "ana.lopez+oncall@example.co.uk",
)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        *((f"before {secret} after", secret) for secret in SECRETS),
        ("postgres://orders:p@ss@db.internal:5432/shop", "p@ss"),
        ("Authorization: Bearer abcdef.123456", "abcdef.123456"),
        ("authorization: basic b3JkZXJzOnNlY3JldA==", "b3JkZXJz"),
        ("DB_PASSWORD=hunter2", "hunter2"),
        ("password: hunter2", "hunter2"),
        ('{"api_key": "hunter two", "x": 1}', "hunter two"),
        ("secretAccessKey='hunter2'", "hunter2"),
        ("https://s3/x?X-Amz-Signature=0123abcd&y=1", "0123abcd"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----", "MIIE"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", "MIIE"),
    ],
)
def test_secrets_go(text: str, secret: str) -> None:
    """Credentials and addresses of people are replaced, whatever carries them."""
    assert secret not in redact(text)
    assert REDACTED in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Essential container in task exited",
        "CannotPullContainerError: registry.example.com/web@sha256:0123456789abcdef: not found",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed",
        (
            "not authorized to perform secretsmanager:GetSecretValue on "
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-AbCdEf"
        ),
        "basic authentication failed for 10.0.3.7:5432",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "service-deployment/shop/orders/ejGvqq2ilnbKT9qj0vLJe",
        "Threshold Crossed: 3 out of the last 3 datapoints [41.0 (01/03/26 03:10:00)] were greater than 10.0",
    ],
)
def test_evidence_stays(text: str) -> None:
    """Reasons, ARNs, digests and host addresses are evidence and stay as they are."""
    assert redact(text) == text


@given(
    st.text()
    | st.lists(st.sampled_from([*SECRETS, "password", "=", ": ", "://", "@", "bearer ", "x", '"'])).map("".join)
)
def test_redacting_again_changes_nothing(text: str) -> None:
    """Redaction is idempotent, so that text may pass through it at every door."""
    assert redact(redact(text)) == redact(text)


@given(before=st.text(), secret=st.sampled_from(SECRETS), after=st.text())
def test_no_surroundings_save_a_secret(before: str, secret: str, after: str) -> None:
    """A secret between spaces goes, whatever stands around it."""
    assert secret not in redact(f"{before} {secret} {after}")


@given(text=st.text(), limit=st.integers(min_value=0, max_value=50))
def test_clean_text_can_be_printed(text: str, limit: int) -> None:
    """Clean text is one line within its limit, without control, direction, surrogate or unassigned characters."""
    cleaned = clean(text, limit=limit)

    assert len(cleaned) <= limit
    assert not [char for char in cleaned if unicodedata.category(char).startswith("C")]
    assert len(cleaned.splitlines()) <= 1


def test_hidden_names_are_found() -> None:
    """An invisible character inside a password's name does not save the password."""
    assert clean("pass\u200bword=hunter2") == f"password={REDACTED}"


def test_hostile_and_long_text_is_cut() -> None:
    """Terminal escapes lose their escape, reversed text its reversal, and long text its end."""
    assert clean("\x1b[31mred\x1b[0m \u202eevil\r\nnext") == "[31mred[0m evil next"
    assert clean("x" * 100, limit=10) == "x" * 9 + "…"
    assert clean("exactly", limit=7) == "exactly"
