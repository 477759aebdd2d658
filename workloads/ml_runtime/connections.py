"""How long our servers keep a connection on which nothing is asked."""

IDLE_SECONDS = 3700
"""Longer than any proxy in front does (Traefik and Knative's queue 90 s, Envoy an hour), so that it is always the proxy
that closes: a request that meets a closing connection fails, and no proxy sends a POST again."""
