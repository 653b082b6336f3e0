"""What Postgres keeps: answers, facts, people, audit; every row under row-level security."""
