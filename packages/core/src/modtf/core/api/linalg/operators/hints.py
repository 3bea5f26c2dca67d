"""What is known of operators, and follows for those made of them: True, False, or `None` where it is not known."""

from __future__ import annotations

from typing import Any

Hint = bool | None


def checked(given: Hint, known: bool, message: str) -> bool:
    """A hint about what is always so (or never).

    Raises:
        ValueError: The hint says otherwise.
    """
    if given is (not known):
        raise ValueError(message)
    return known


def non_singular_product(a: Any, b: Any) -> Hint:
    """Whether a product can be inverted: if both factors can."""
    if a.is_non_singular is False or b.is_non_singular is False:
        return False
    return True if a.is_non_singular and b.is_non_singular else None


def of_commuting_product(a: Any, b: Any) -> dict[str, Any]:
    """The hints of the product of two operators that commute, as arguments of a constructor."""
    adjoint: Hint = None
    if a.is_self_adjoint and b.is_self_adjoint:
        adjoint = True
    elif {a.is_self_adjoint, b.is_self_adjoint} == {True, False}:
        adjoint = False
    definite = a.is_positive_definite and b.is_positive_definite and a.is_self_adjoint and b.is_self_adjoint
    return {
        "is_non_singular": non_singular_product(a, b),
        "is_self_adjoint": adjoint,
        "is_positive_definite": True if definite else None,
        "is_square": True if a.is_square and b.is_square else None,
    }


def of(operator: Any) -> dict[str, Any]:
    """An operator's hints, as arguments of a constructor: for its adjoint or its inverse, which share them."""
    names = ("is_non_singular", "is_self_adjoint", "is_positive_definite", "is_square")
    return {name: getattr(operator, name) for name in names}


def of_all(operators: Any, name: str) -> bool:
    """Whether all operators are known to have a property."""
    return all(getattr(operator, name) for operator in operators)
