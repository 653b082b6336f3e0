"""Signing in: who lets people in, what they get, and how it goes on and ends."""
