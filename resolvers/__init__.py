"""How GraphQL says it."""
