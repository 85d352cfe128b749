"""SymPy, imported where it is needed: nothing else of numgrad asks for it."""

from typing import Any


def sympy() -> Any:
    try:
        import sympy
    except ImportError:
        raise ImportError("numgrad.symbolic needs SymPy: pip install 'numgrad[symbolic]'") from None
    return sympy
