"""How Numba compiles kernels, and the parts of kernels."""

from typing import Any

from numba.core import codegen, compiler

# Passes of Numba's for what no kernel has: functions within it, `with`, loops over tuples of types, expressions of
# arrays.
NEEDLESS = {"InlineClosureLikes", "MakeFunctionToJitFunction", "WithLifting", "LiteralUnroll", "InlineOverloads", "NopythonRewrites"}


class Whole(compiler.Compiler):
    """The compiler of kernels."""

    def define_pipelines(self) -> Any:
        """Return Numba's own pipeline, without the needless passes."""
        (found,) = super().define_pipelines()
        found.passes = [step for step in found.passes if step[0].__name__ not in NEEDLESS]
        return [found]


class Part(Whole):
    """The compiler of a function that only other functions call, into which it is put.

    LLVM optimises it there, and there alone: that it would also become machine code of its own, which nobody runs,
    took a third of the time.
    """

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *rest: Any) -> None:
        super().__init__(typingctx, targetctx, library, *rest)
        self.state.flags.no_cpython_wrapper = True

    def compile_extra(self, func: Any) -> Any:
        self.state.library = Unfinished(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)


class Unfinished(codegen.JITCodeLibrary):
    """The code of a part, as Numba hands it to LLVM."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0

    @property
    def codegen(self) -> Any:
        return self

    def set_env(self, name: str, env: Any) -> None:
        """Numba would put an environment into the machine code here."""
