"""Connections that stay open: subscriptions over websockets, Server-Sent Events and multipart responses."""
