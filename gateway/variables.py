"""How large the variables of one operation may be: every list in them is work for somebody further in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from gateway.refusal import refuse_document

HINTS = {
    "variables.bytes": "Send less in one operation.",
    "variables.depth": "Nest them less.",
    "variables.items": "Send shorter lists, or ask in several operations.",
}


@dataclass(frozen=True, slots=True)
class VariableLimits:
    """What variables may have at most: `bytes` as JSON, levels of lists and objects, entries of any one of these."""

    bytes: int = 16 * 1024
    depth: int = 8
    items: int = 1_000

    def check(self, variables: dict[str, Any] | None) -> None:
        """Let variables pass.

        Raises:
            Refused: 400, naming the limit, what was found and what would pass.
        """
        if not variables:
            return
        level: list[Any] = [variables]
        depth = 0
        while level:
            depth += 1
            self._hold("variables.depth", self.depth, depth)
            self._hold("variables.items", self.items, max(map(len, level)))
            inside = (one for held in level for one in (held.values() if isinstance(held, dict) else held))
            level = [one for one in inside if isinstance(one, (dict, list))]
        # Last, because it recurses: what is nested too deeply has been refused by now.
        self._hold("variables.bytes", self.bytes, len(orjson.dumps(variables)))

    @staticmethod
    def _hold(limit: str, allowed: int, found: int) -> None:
        if found > allowed:
            message = f"The {limit.replace('.', ' have ')} {found}, and {allowed} is the most. {HINTS[limit]}"
            raise refuse_document(code="VARIABLES_LIMIT", message=message, limit=limit, allowed=allowed, found=found)
