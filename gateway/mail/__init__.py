"""Letters to people: what they say, who they go to, and how they leave.

Invariant: a letter is durable before anybody is told that it is on its way, and holds no secret while it waits.
"""
