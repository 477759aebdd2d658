"""Bundles: releases of others as pinned data, turned into Kubernetes objects.

resolve -> verify -> parse -> rules (pipeline.py) -> transforms -> resources in phases (bundle.py).
"""
