"""The words that kernels are written in: what their parameters are, and marks for the compiler."""

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias, TypeVar

Array: TypeAlias = Annotated[Any, "array that is read"]
Target: TypeAlias = Annotated[Any, "array that is written"]
Index: TypeAlias = Annotated[Any, "integer: a place, a count, a distance in memory"]
Scalar: TypeAlias = Annotated[Any, "number"]
Flag: TypeAlias = Annotated[Any, "bool"]
Record: TypeAlias = Annotated[Any, "tuple"]

Part = TypeVar("Part", bound=Callable[..., Any])


def early(part: Part) -> Part:
    """Let a part become a part of its caller before Numba infers types.

    Many small parts compile faster so than as functions of their own, each with its types and its code for LLVM.
    """
    part.is_early = True  # type: ignore[attr-defined]
    return part


def light(part: Part) -> Part:
    """Say that a kernel, as a plain function, may have memoryviews for arrays: twice as fast as arrays of NumPy.

    Their elements are Python's numbers. So all its arrays are of float64 or int64; it takes no more than the lengths
    and single elements of them; and it divides by nothing that may be zero, which Python refuses.
    """
    part.is_light = True  # type: ignore[attr-defined]
    return part


def cold(kernel: Part) -> Part:
    """Let LLVM keep a kernel short, in which little time is spent: that takes it half as long."""
    kernel.is_cold = True  # type: ignore[attr-defined]
    return kernel
