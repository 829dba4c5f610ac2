"""Every kind of fact that a probe brings. Only what reads findings back needs all of them."""

from functions.domain.backups import RecoveryPoints as RecoveryPoints
from functions.domain.breach import DenialsFacts as DenialsFacts
from functions.domain.breach import ExposureFacts as ExposureFacts
from functions.domain.breach import ImagesFacts as ImagesFacts
from functions.domain.circumstances import AlarmHistoryFacts as AlarmHistoryFacts
from functions.domain.circumstances import ChangesFacts as ChangesFacts
from functions.domain.circumstances import FrontFacts as FrontFacts
from functions.domain.circumstances import HealthFacts as HealthFacts
from functions.domain.circumstances import LogsFacts as LogsFacts
from functions.domain.circumstances import SecretsFacts as SecretsFacts
from functions.domain.circumstances import StackFacts as StackFacts
from functions.domain.circumstances import TaskDefinitionFacts as TaskDefinitionFacts
from functions.domain.costs import BudgetFacts as BudgetFacts
from functions.domain.dependencies import DependenciesFacts as DependenciesFacts
from functions.domain.evidence import AlarmsFacts as AlarmsFacts
from functions.domain.evidence import MetricsFacts as MetricsFacts
from functions.domain.evidence import ReleasesFacts as ReleasesFacts
from functions.domain.evidence import ScalingFacts as ScalingFacts
from functions.domain.evidence import ServiceFacts as ServiceFacts
from functions.domain.evidence import TargetsFacts as TargetsFacts
from functions.domain.evidence import TasksFacts as TasksFacts
from functions.domain.network import NetworkFacts as NetworkFacts
from functions.domain.tables import TablesFacts as TablesFacts
from functions.domain.threats import ThreatsFacts as ThreatsFacts
