"""AutoGraph."""


def converted(f):
    return f


def converted_inside(f):
    return f
