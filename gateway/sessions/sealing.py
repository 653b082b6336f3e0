"""What is kept for later and must not be read from the database alone: sealed with a key that can be changed."""

from __future__ import annotations

import hmac
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Seal:
    """Seals with the first of its keys, opens with any of them; `keys` are Fernet keys, the newest first.

    Raises:
        ValueError: there is none, or one is not 32 bytes in URL-safe base64.
    """

    def __init__(self, keys: str) -> None:
        told = [key.strip() for key in keys.split(",") if key.strip()]
        self._fernet = MultiFernet([Fernet(key) for key in told])
        self._naming = hmac.digest(told[0].encode(), b"what stands in the audit for an account", "sha256")

    def close(self, text: str) -> str:
        """A text, sealed: nobody reads or changes it without the key."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """The text; None where none of the keys is the one it was sealed with."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def name(self, text: str) -> str:
        """A name that tells two texts apart, and says nothing of them to who does not have the newest key."""
        return hmac.new(self._naming, text.encode(errors="replace"), sha256).hexdigest()[:32]


def new_key() -> str:
    """A fresh key."""
    return Fernet.generate_key().decode()
