"""What a probe or an action needs to be allowed, declared beside it; `infra/` turns it into IAM statements."""

from enum import StrEnum

from functions.domain.model import Model


class Resource(StrEnum):
    """How narrow IAM lets an action be. Source: Service Authorization Reference, table of each service."""

    SERVICE = "service"
    """The ARNs of the services named in playbooks."""
    SERVICE_DEPLOYMENT = "service-deployment"
    """Deployments of those services."""
    SERVICE_REVISION = "service-revision"
    TASK = "task"
    """Tasks in the clusters named in playbooks, with the condition `ecs:cluster`."""
    CLUSTER_CONDITION = "cluster-condition"
    """Any resource, but only with the condition `ecs:cluster` (ListTasks takes container instances as its resource)."""
    SCALABLE_TARGET = "scalable-target"
    """Scalable targets have opaque ARNs: any, with conditions on namespace and dimension."""
    TASK_ROLES = "task-roles"
    """The roles a task definition passes on, to ecs-tasks.amazonaws.com only."""
    NEW_TASK_DEFINITION = "new-task-definition"
    """Any task definition, but only while it is being registered (condition `ecs:CreateAction`)."""
    LOAD_BALANCER = "load-balancer"
    """Load balancers: which one stands in front of a service is known at run time only."""
    TARGET_GROUP = "target-group"
    """Target groups: which ones a service has is known at run time only."""
    LOG_GROUP = "log-group"
    """Log groups: which ones a task definition names is known at run time only."""
    SECRET = "secret"
    """Secrets of Secrets Manager: which ones a task definition names is known at run time only."""
    WATCHED_SERVICE = "watched-service"
    """ECS services that playbooks name as dependencies or checks."""
    WATCHED_DATABASE = "watched-database"
    """DB instances that playbooks name as dependencies or checks."""
    DATABASE_INSIGHTS = "database-insights"
    """Performance Insights of any DB instance, whose ARN ends in an opaque id; only where a playbook names one."""
    WEBHOOK_TOKEN = "webhook-token"
    """The secrets that playbooks name as tokens of webhooks."""
    BACKED_UP_TABLE = "backed-up-table"
    """DynamoDB tables that playbooks want backed up."""
    BACKED_UP_DATABASE = "backed-up-database"
    """DB instances that playbooks want backed up, and snapshots with names as the responder gives them."""
    BACKUP_LIST = "backup-list"
    """The action takes no resource; only where a playbook names a table to back up."""
    SNAPSHOT_LIST = "snapshot-list"
    """Snapshots of the DB instances that playbooks want backed up, whoever took them."""
    MUTED_ALARM = "muted-alarm"
    """Alarms that playbooks let be muted, and the mute rules that the responder makes."""
    MUTE_RULE = "mute-rule"
    """The mute rules that the responder makes, where a playbook lets an alarm be muted."""
    IMAGE_REPOSITORY = "image-repository"
    """Repositories of ECR: from which ones the tasks run is known at run time only."""
    IP_SET = "ip-set"
    """The IP sets of AWS WAF that playbooks name, those of CloudFront in us-east-1."""
    USER_POOL = "user-pool"
    """The Cognito user pools in which playbooks let users be disabled."""
    CHECK_SECRET = "check-secret"
    """Secrets that playbooks name for the header of a synthetic check."""
    CHECK_METRICS = "check-metrics"
    """No resource, but only with the condition `cloudwatch:namespace`: the metrics of synthetic checks."""
    DETECTOR = "detector"
    """Detectors of GuardDuty: an account has one in each Region, whose id is opaque."""
    ANY = "*"
    """The action takes no resource."""


class Permission(Model):
    """One IAM action and how narrow it may be granted."""

    action: str
    resource: Resource
