"""Which cases a run consists of, and which of them this subject gives no occasion for."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from conformance.case import Case
from conformance.catalogue.need import Need, words_for
from conformance.catalogue.requirement import Level, Requirement
from conformance.judgement import Force
from conformance.runner import Planned
from conformance.subject import Subject

_EXTENSION: Final = "ext:"
_ABOUT_GREETINGS: Final = ("smtp.greet.", "smtp.x25.greeting", "pop3.greeting.")
_FORCES: Final = {Level.SHOULD: Force.ADVISORY, Level.MAY: Force.FREE, Level.HARD: Force.HARDENING}

# Whether a subject meets a need. SLOW is the run's own choice.
_MET: Final[Mapping[Need, Callable[[Subject], bool]]] = {
    Need.ACCEPTED_ADDRESS: lambda subject: bool(subject.found.recipients or subject.declared.addresses.accepted),
    Need.REJECTED_ADDRESS: lambda subject: bool(subject.declared.addresses.rejected),
    Need.LOGIN: lambda subject: bool(subject.declared.accounts.smtp),
    Need.READ_BACK: lambda subject: subject.mailbox is not None,
    Need.MAILDROP: lambda subject: bool(subject.declared.accounts.pop3),
    Need.TWO_MAILDROP_SESSIONS: lambda subject: bool(subject.declared.accounts.pop3),
    Need.TLS: lambda subject: subject.found.offers_tls,
    Need.LOW_SIZE_LIMIT: lambda subject: subject.low_limit is not None,
    Need.OVER_QUOTA_ADDRESS: lambda subject: bool(subject.declared.addresses.over_quota),
    Need.SEVERAL_CONNECTIONS: lambda subject: True,
    Need.LEAVE_MAIL: lambda subject: subject.declared.allow.leave_mail or subject.found.pop3.messages > 0,
    Need.SINK: lambda subject: subject.sink is not None or subject.declared.sink is not None,
    Need.X25: lambda subject: subject.x25,
    Need.OPERATOR: lambda subject: subject.declared.claims.restart is not None,
}


def plan_cases(
    cases: Collection[Case], requirements: Mapping[str, Requirement], subject: Subject, *, slow: bool
) -> list[Planned]:
    """Return the cases as they are to be run against a sounded subject. `slow`: those that take minutes as well."""
    return [_planned(case, requirements[case.requirement], subject, slow=slow) for case in cases]


def unmet_needs(requirement: Requirement, subject: Subject, *, slow: bool) -> list[str]:
    """Return which of a requirement's needs this run does not meet."""
    return [need for need in requirement.needs if not _is_met(need, subject, slow=slow)]


def force_of(requirement: Requirement) -> Force:
    """Return what breaking a requirement amounts to."""
    if requirement.red_by_policy:
        return Force.BINDING
    if requirement.relaxed:
        return Force.RELAXED
    return _FORCES.get(requirement.level, Force.BINDING)


def _planned(case: Case, requirement: Requirement, subject: Subject, *, slow: bool) -> Planned:
    unmet = [words_for(need) for need in unmet_needs(requirement, subject, slow=slow)]
    lacking = "; ".join(f"needs {words.sentence} ({words.given_by})" for words in unmet) or None
    if subject.found.unwelcome and not requirement.id.startswith(_ABOUT_GREETINGS):
        lacking = f"needs a session, and {subject.found.unwelcome} came instead of a greeting"
    return Planned(case, force_of(requirement), lacking, slow=Need.SLOW in requirement.needs)


def _is_met(need: str, subject: Subject, *, slow: bool) -> bool:
    if need.startswith(_EXTENSION):
        return need.removeprefix(_EXTENSION) in subject.found.keywords
    return slow if need == Need.SLOW else _MET[Need(need)](subject)
