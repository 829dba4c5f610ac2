"""Where the responder remembers: the ledger's table, and the archive beside it."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from functions.domain.table import INDEXES, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE
from infra.compliance import acknowledge
from infra.permissions import Grant

READ = ("dynamodb:GetItem", "dynamodb:Query")
APPEND = (*READ, "dynamodb:PutItem", "dynamodb:UpdateItem")
"""Append to a trail, which moves the head of its incident."""
RECORD = "dynamodb:ConditionCheckItem"
"""Record a signal, answer a request, or act unless everything was stopped: all of these are void if something else
changed meanwhile."""
TAKE_IN = ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", RECORD)
"""Record a signal with the incident that it opens or joins."""
END = "dynamodb:DeleteItem"
"""Release a lock, end a lease, or give a claim back."""
LEDGER_ACTIONS = (*APPEND, RECORD, END)
"""All that the ledger takes; a transaction needs the rights of its parts and none of its own."""

EVIDENCE, INCIDENTS, DIGESTS, RUNS, HEARTBEAT = "evidence/*", "incidents/*", "digests/*", "runs/*", "heartbeat/*"
"""Where things lie in the archive: what is too large for a trail, copies of trails and reports, digests, trials under
load, and the newest heartbeat. A test holds these against the keys that are written."""


class Storage(Construct):
    """The ledger on demand with point-in-time recovery, and the archive that nobody overwrites."""

    def __init__(
        self, scope: Construct, id: str, *, table_name: str, destroyable: bool, object_lock_days: int | None
    ) -> None:
        super().__init__(scope, id)
        removal = RemovalPolicy.DESTROY if destroyable else RemovalPolicy.RETAIN
        self.table = dynamodb.Table(
            self,
            "Ledger",
            table_name=table_name,
            partition_key=_text(PARTITION_KEY),
            sort_key=_text(SORT_KEY),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=TTL_ATTRIBUTE,
            deletion_protection=not destroyable,
            removal_policy=removal,
        )
        for index in INDEXES:
            self.table.add_global_secondary_index(
                index_name=index.name,
                partition_key=_text(index.partition_key),
                sort_key=_text(index.sort_key),
            )
        self.archive = s3.Bucket(
            self,
            "Archive",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            object_lock_enabled=object_lock_days is not None or None,
            object_lock_default_retention=(
                None if object_lock_days is None else s3.ObjectLockRetention.governance(Duration.days(object_lock_days))
            ),
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    noncurrent_version_expiration=Duration.days(365),
                )
            ],
            removal_policy=removal,
        )
        acknowledge(
            self.archive,
            "S1",
            "Only the responder's own functions write it; the trail's hash chain shows tampering, CloudTrail shows who",
        )

    def ledger_grants(self, *actions: str, lists: bool = False) -> list[Grant]:
        """Those of `LEDGER_ACTIONS`; with `lists`, what is listed by an index, too."""
        indexes = [
            Stack.of(self).format_arn(
                service="dynamodb", resource="table", resource_name=f"{self.table.table_name}/index/{index.name}"
            )
            for index in INDEXES
        ]
        return [Grant(actions, [self.table.table_arn]), *([Grant(["dynamodb:Query"], indexes)] if lists else [])]

    def fetch_grants(self) -> list[Grant]:
        """Fetch whatever lies in the archive."""
        return [Grant(["s3:GetObject"], [self.archive.arn_for_objects("*")])]

    def keep_grants(self, *places: str) -> list[Grant]:
        """Put something into the archive, in these places alone."""
        return [Grant(["s3:PutObject"], [self.archive.arn_for_objects(place) for place in places])]


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
