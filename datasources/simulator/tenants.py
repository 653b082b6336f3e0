"""The tenants of the generated campus: made-up organizations, named so, with their staff and what they aim for.

Nobody and nothing here stands for a real person or company; the domains are reserved for examples (RFC 2606).
"""

from __future__ import annotations

from dataclasses import dataclass

from datasources.simulator.campus import Goal, Kpi, Organization


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organization, how its people spread over it, and the courses they take (`paths`: course ids, weight).

    `zones` are the IANA time zones of its branches, in their order.
    """

    organization: Organization
    zones: tuple[str, ...]
    branch_weights: tuple[int, ...]
    department_weights: tuple[int, ...]
    paths: tuple[tuple[tuple[str, ...], int], ...]


@dataclass(frozen=True, slots=True)
class Staff:
    """Someone who teaches or runs a tenant, and does not learn."""

    key: str
    name: str
    tenant: str
    roles: tuple[str, ...]


STAFF = (
    Staff("tomas", "Tomas Synthetic", "works", ("trainer",)),
    Staff("tara", "Tara Synthetic", "works", ("trainer",)),
    Staff("trainer-03", "Trainer 03", "works", ("trainer",)),
    Staff("olga", "Olga Synthetic", "works", ("org-admin",)),
    Staff("trainer-04", "Trainer 04", "clinics", ("trainer",)),
    Staff("trainer-05", "Trainer 05", "clinics", ("trainer",)),
    Staff("trainer-06", "Trainer 06", "freight", ("trainer",)),
    Staff("admin-02", "Administrator 02", "freight", ("org-admin",)),
)

_WORKS = Organization(
    "",
    "Example Works (synthetic)",
    "works.example",
    "Manufacturing",
    ("North", "South", "Coast", "Island"),
    ("Analytics", "Engineering", "Finance", "Laboratory"),
    (
        Kpi("completion", "Courses completed", 0.64, 0.75, 0.5, 2.0, "share"),
        Kpi("reporting", "Days to the monthly report", 6.5, 4.0, 9.0, 1.0, "days"),
        Kpi("retention", "Staff retained over a year", 0.91, 0.92, 0.88, 1.5, "share"),
        Kpi("automation", "Reports made without hand work", None, 0.6, 0.2, 1.0, "share"),
    ),
    (
        Goal("data", "Decide with data", 0.5, (("python", 70.0, 1.0), ("statistics", 70.0, 0.9), ("sql", 75.0, 0.8))),
        Goal("cloud", "Run our own services", 0.3, (("docker", 65.0, 0.8), ("linux", 60.0, 0.6), ("git", 75.0, 0.7))),
        Goal("trust", "Figures that can be trusted", 0.2, (("data-quality", 80.0, 1.0), ("testing", 65.0, 0.6))),
    ),
)
_CLINICS = Organization(
    "",
    "Sample Clinics (synthetic)",
    "clinics.example",
    "Health care",
    ("East", "West"),
    ("Nursing", "Administration"),
    (
        Kpi("records", "Records complete at discharge", 0.83, 0.95, 0.7, 2.0, "share"),
        Kpi("requests", "Days to answer a records request", 11.0, 7.0, 15.0, 1.0, "days"),
    ),
    (
        Goal("records", "Complete records", 0.6, (("records", 80.0, 1.0), ("data-quality", 70.0, 0.8))),
        Goal("privacy", "Private by habit", 0.4, (("privacy", 85.0, 1.0), ("security", 65.0, 0.5))),
    ),
)
_FREIGHT = Organization(
    "",
    "Specimen Freight (synthetic)",
    "freight.example",
    "Transport",
    ("Harbour",),
    ("Fleet",),
    (Kpi("empty", "Kilometres driven empty", 0.24, 0.15, 0.27, 1.0, "share"),),
    (Goal("routes", "Fewer empty kilometres", 1.0, (("logistics", 75.0, 1.0), ("excel", 65.0, 0.5))),),
)

TENANTS = {
    "works": Tenant(
        _WORKS,
        ("Europe/Oslo", "Europe/Madrid", "Europe/Paris", "Europe/Malta"),
        (46, 33, 20, 1),
        (40, 35, 23, 2),
        (
            (("python-spring-2025",), 8),
            (("python-spring-2025", "statistics-winter-2026"), 11),
            (("python-spring-2025", "python-autumn-2025"), 4),
            (("sql-summer-2025",), 14),
            (("sql-summer-2025", "python-autumn-2025"), 24),
            (("python-autumn-2025",), 14),
            (("statistics-winter-2026", "cloud-spring-2026"), 13),
            (("cloud-spring-2026",), 12),
        ),
    ),
    "clinics": Tenant(
        _CLINICS,
        ("Europe/Warsaw", "Europe/London"),
        (60, 40),
        (65, 35),
        (
            (("privacy-spring-2025",), 30),
            (("privacy-spring-2025", "health-data-autumn-2025"), 40),
            (("health-data-autumn-2025",), 30),
        ),
    ),
    "freight": Tenant(_FREIGHT, ("Asia/Singapore",), (1,), (1,), ((("routes-winter-2025",), 1),)),
}

# Skill, level of 100, importance of 1: what a department's roles ask of a person.
REQUIRED: dict[str, tuple[tuple[str, float, float], ...]] = {
    "Analytics": (
        ("python", 75.0, 1.0),
        ("sql", 75.0, 1.0),
        ("statistics", 70.0, 0.9),
        ("pandas", 70.0, 0.7),
        ("visualization", 65.0, 0.6),
        ("data-modelling", 60.0, 0.5),
        ("git", 55.0, 0.4),
        ("machine-learning", 50.0, 0.4),
    ),
    "Engineering": (
        ("python", 70.0, 1.0),
        ("testing", 70.0, 0.9),
        ("git", 75.0, 0.8),
        ("sql", 60.0, 0.7),
        ("docker", 65.0, 0.7),
        ("linux", 60.0, 0.6),
        ("rest", 60.0, 0.5),
    ),
    "Finance": (
        ("excel", 80.0, 1.0),
        ("accounting", 75.0, 0.9),
        ("sql", 60.0, 0.7),
        ("statistics", 55.0, 0.6),
        ("power-bi", 60.0, 0.6),
        ("visualization", 60.0, 0.5),
    ),
    "Laboratory": (
        ("statistics", 75.0, 1.0),
        ("experiments", 75.0, 1.0),
        ("r", 65.0, 0.7),
        ("data-quality", 70.0, 0.6),
    ),
    "Nursing": (("records", 80.0, 1.0), ("privacy", 75.0, 0.9), ("data-quality", 60.0, 0.5), ("writing", 55.0, 0.4)),
    "Administration": (
        ("privacy", 80.0, 1.0),
        ("excel", 75.0, 0.8),
        ("records", 70.0, 0.7),
        ("power-bi", 60.0, 0.5),
        ("security", 60.0, 0.5),
    ),
    "Fleet": (("logistics", 75.0, 1.0), ("excel", 65.0, 0.7), ("visualization", 50.0, 0.4)),
}
