"""Stand-in for Pulumi's language host for Python, where that one cannot be downloaded.

It runs programs, policy packs and component plugins in the interpreter that the project chooses. It does not
install packages, generate or convert programs, or run a type checker: those answer with what to use instead.
"""

VERSION = "3.259.0"
