"""Decisions over an account's settings: frozen values, small state that takes `now`, and refusals with a reason.

Invariant: whatever throws inside a check is a denial. Knows neither the wire, nor the store, nor the clock.
"""
