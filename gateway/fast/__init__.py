"""The short way through the gateway: what is asked all day, answered without the executor.

A request that is plain in every respect is answered from bytes that are kept (`kept`), or by a compiled document
and at most one statement (`analytics.at_hand`). Whatever is not plain goes on to the ordinary way, as it came.
"""
