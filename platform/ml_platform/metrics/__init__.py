"""Metrics as plain data: who is asked for them, what is drawn of them, and when somebody is told.

The server of the metrics is the component `monitoring`.
"""
