"""Kilograms and years in, litres for 100 kilometres out, of a model that knows pounds and miles a gallon.

A car of 2023 is one of the year 123 for it, not of 23.
"""

import sys

from ml_runtime import transformer

POUNDS, LITRES = 2.205, 235.2146


def before(rows):
    return [{"weight": row["weight_kg"] * POUNDS, "year": row["year"] - 1900} for row in rows]


def after(predictions, _rows):
    return [LITRES / miles for miles in predictions]


sys.exit(transformer.main(before, after))
