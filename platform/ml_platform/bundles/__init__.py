"""Bundles: releases of other projects as pinned data, turned into Kubernetes objects.

resolve -> verify -> render -> parse -> mend -> rules -> check (pipeline.py) -> transforms -> resources in phases
(bundle.py).
"""
