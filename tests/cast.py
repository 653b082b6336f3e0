"""The cast of every test: Lena learns, Tomas teaches her, Olga runs their organization, Sam is a stranger.

Lars learns in the same organization and is not taught by Tomas; Tara teaches there, but not Lena.
"""

from __future__ import annotations

ACME = "5f4dcc3b-0000-4000-8000-00000000acfe"
OTHER = "5f4dcc3b-0000-4000-8000-00000000dead"

LENA = "11111111-1111-4111-8111-111111111111"
LARS = "22222222-2222-4222-8222-222222222222"
TOMAS = "33333333-3333-4333-8333-333333333333"
TARA = "44444444-4444-4444-8444-444444444444"
OLGA = "55555555-5555-4555-8555-555555555555"
SAM = "66666666-6666-4666-8666-666666666666"
