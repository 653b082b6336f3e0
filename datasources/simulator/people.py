"""The directory: people, organizations, and what those aim for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasources.simulator.reads import Payload, Read, Subject, about

if TYPE_CHECKING:
    from datasources.simulator.campus import Person
    from datasources.simulator.records import Records


def directory(records: Records) -> tuple[Read, ...]:
    """The reads of the directory service. A session that ends after `as_of` has lasted until then."""

    def user(key: str) -> Payload:
        return _user(records.people[key])

    def organization(key: str) -> Payload:
        one = records.organizations[key]
        return {
            "id": one.id,
            "name": one.name,
            "domain": one.domain,
            "industry": one.industry,
            "size": len(records.members.get(key, ())),
            "branches": one.branches,
            "departments": one.departments,
        }

    def members(key: str) -> Payload:
        return {"users": [_user(person) for person in records.members.get(key, ())]}

    def kpis(key: str) -> Payload:
        return {
            "kpis": [
                {
                    "id": kpi.id,
                    "name": kpi.name,
                    "value": kpi.value,
                    "target": kpi.target,
                    "baseline": kpi.baseline,
                    "weight": kpi.weight,
                    "unit": kpi.unit,
                    "period": None,
                }
                for kpi in records.organizations[key].kpis
            ]
        }

    def goals(key: str) -> Payload:
        return {
            "goals": [
                {
                    "id": goal.id,
                    "name": goal.name,
                    "weight": goal.weight,
                    "skills": [
                        {"skillId": skill, "targetLevel": level, "importance": importance}
                        for skill, level, importance in goal.skills
                    ],
                }
                for goal in records.organizations[key].goals
            ]
        }

    def logins(key: str) -> Payload:
        # Days and clicks are no sessions: a campus that does not have sessions says none, as a made-up length
        # would look measured.
        return {
            "logins": [
                {"at": one.began, "durationSeconds": min(one.seconds, int((as_of - one.began).total_seconds()))}
                for one in records.sessions.get(key, ())
                if one.began <= as_of
            ]
        }

    as_of = records.campus.as_of
    person, tenant = records.people.__contains__, records.organizations.__contains__
    organizations = "/api/v1/organizations/{id}"
    return (
        Read("user", "/api/v1/users/{id}", about(person, user)),
        Read("organization", organizations, about(tenant, organization), Subject.ORGANIZATION),
        Read("members", f"{organizations}/members", about(tenant, members), Subject.ORGANIZATION),
        Read("kpis", f"{organizations}/kpis", about(tenant, kpis), Subject.ORGANIZATION),
        Read("goals", f"{organizations}/goals", about(tenant, goals), Subject.ORGANIZATION),
        Read("logins", "/api/v1/users/{id}/login-logs", about(person, logins)),
    )


def _user(person: Person) -> Payload:
    return {
        "id": person.id,
        "displayName": person.name,
        "organizationId": person.organization,
        "roles": person.roles,
        "email": person.email,
        "department": person.department,
        "region": person.region,
        "ageBand": person.age_band,
        "education": person.education,
        "timeZone": person.time_zone,
        "isActive": True,
    }
