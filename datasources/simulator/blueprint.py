"""What the generated campus teaches, when, and to what kinds of people. The courses are made up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

AS_OF = datetime(2026, 3, 2, tzinfo=UTC)

SKILLS = {
    "python": "Python",
    "sql": "SQL",
    "pandas": "pandas",
    "git": "Git",
    "linux": "Linux",
    "docker": "Docker",
    "kubernetes": "Kubernetes",
    "aws": "Amazon Web Services",
    "terraform": "Terraform",
    "rest": "REST APIs",
    "testing": "Software testing",
    "statistics": "Statistics",
    "regression": "Regression analysis",
    "experiments": "Experimental design",
    "r": "R",
    "machine-learning": "Machine learning",
    "visualization": "Data visualization",
    "power-bi": "Microsoft Power BI",
    "excel": "Microsoft Excel",
    "postgresql": "PostgreSQL",
    "data-modelling": "Data modelling",
    "etl": "Data integration (ETL)",
    "spark": "Apache Spark",
    "data-quality": "Data quality",
    "privacy": "Data protection",
    "security": "Information security",
    "records": "Health records",
    "accounting": "Cost accounting",
    "logistics": "Route planning",
    "writing": "Technical writing",
}


@dataclass(frozen=True, slots=True)
class CoursePlan:
    """One course run before its tasks and items are laid out. `trainers` are keys of people."""

    id: str
    title: str
    first_day: date
    length_days: int
    trainers: tuple[str, ...]
    items: int
    skills: tuple[str, ...]

    @property
    def start(self) -> datetime:
        """Midnight of the first day."""
        return datetime.combine(self.first_day, time(), UTC)


PLANS = (
    CoursePlan(
        "python-spring-2025",
        "Data analysis with Python",
        date(2025, 2, 3),
        217,
        ("tomas",),
        92,
        ("python", "pandas", "statistics", "visualization", "git", "testing"),
    ),
    CoursePlan(
        "sql-summer-2025",
        "Databases and SQL",
        date(2025, 6, 2),
        203,
        ("tara",),
        74,
        ("sql", "postgresql", "data-modelling", "etl", "data-quality"),
    ),
    CoursePlan(
        "python-autumn-2025",
        "Data analysis with Python",
        date(2025, 10, 6),
        224,
        ("tomas", "trainer-03"),
        96,
        ("python", "pandas", "statistics", "visualization", "git", "testing"),
    ),
    CoursePlan(
        "statistics-winter-2026",
        "Statistics in practice",
        date(2026, 1, 5),
        196,
        ("tara",),
        66,
        ("statistics", "regression", "experiments", "r", "visualization"),
    ),
    CoursePlan(
        "cloud-spring-2026",
        "Running services in the cloud",
        date(2026, 3, 23),
        182,
        ("trainer-03",),
        58,
        ("linux", "docker", "kubernetes", "aws", "terraform"),
    ),
    CoursePlan(
        "privacy-spring-2025",
        "Data protection at work",
        date(2025, 3, 3),
        168,
        ("trainer-04",),
        44,
        ("privacy", "security", "records", "writing"),
    ),
    CoursePlan(
        "health-data-autumn-2025",
        "Working with health data",
        date(2025, 9, 8),
        231,
        ("trainer-04", "trainer-05"),
        120,
        ("records", "data-quality", "excel", "power-bi", "statistics", "privacy"),
    ),
    CoursePlan(
        "routes-winter-2025",
        "Planning routes with data",
        date(2025, 12, 1),
        175,
        ("trainer-06",),
        40,
        ("logistics", "excel", "sql", "visualization"),
    ),
)


# Shares of registrations in the sample of OULAD (CC BY 4.0, doi:10.1038/sdata.2017.171; its words, whole per cents).
AGE_BANDS = (("0-35", 64), ("35-55", 35), ("55<=", 1))
EDUCATION = (
    ("No Formal quals", 1),
    ("Lower Than A Level", 43),
    ("A Level or Equivalent", 43),
    ("HE Qualification", 12),
    ("Post Graduate Qualification", 1),
)
CREDITS = ((60.0, 64), (90.0, 5), (120.0, 25), (180.0, 4), (240.0, 2))
PREVIOUS_ATTEMPTS = ((0, 83), (1, 13), (2, 3), (3, 1))
