"""The cases, in their order."""
CASES = []


def case(f):
    CASES.append(f)
    return f
