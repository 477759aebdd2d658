"""`make load`: a served model under load, and a report of what came of it."""
