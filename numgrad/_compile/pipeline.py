"""How Numba compiles kernels, and the parts of kernels."""

from typing import Any

from llvmlite import binding
from numba.core import codegen, compiler

# Versions of llvmlite before that have another way to tidy code, and put attributes where they do not belong.
HAS_ATTRIBUTES = hasattr(binding, "create_pass_builder")
# Passes of Numba's for what no kernel has: functions within it, `with`, loops over tuples of types, expressions of
# arrays.
NEEDLESS = {
    "InlineClosureLikes",
    "InlineOverloads",
    "LiteralUnroll",
    "MakeFunctionToJitFunction",
    "NopythonRewrites",
    "WithLifting",
}


class Whole(compiler.Compiler):
    """The compiler of kernels."""

    def define_pipelines(self) -> Any:
        """Return Numba's own pipeline, without the needless passes."""
        (found,) = super().define_pipelines()
        found.passes = [step for step in found.passes if step[0].__name__ not in NEEDLESS]
        return [found]


class Cold(Whole):
    """The compiler of kernels in which little time is spent."""

    def compile_extra(self, func: Any) -> Any:
        if not HAS_ATTRIBUTES:
            return super().compile_extra(func)
        self.state.library = Short(self.state.targetctx.codegen(), func.__qualname__)
        self.state.library.enable_object_caching()
        return super().compile_extra(func)


class Short(codegen.JITCodeLibrary):
    """Code that LLVM keeps short: it does not unroll loops, nor make one for each way through them."""

    def add_llvm_module(self, module: Any) -> None:
        for function in module.functions:
            if not function.is_declaration:
                function.add_function_attribute("optsize")
        super().add_llvm_module(module)


class Within(compiler.CompilerBase):
    """A compiler of functions that others call, into which they are put.

    LLVM makes machine code of them there, and there alone: of their own it would run nowhere, and took a third of the
    time.
    """

    def compile_extra(self, func: Any) -> Any:
        self.state.flags.no_cpython_wrapper = True
        if self.state.typingctx.callstack.findfirst(func) is None:  # it calls itself, by an address, otherwise
            self.state.library = Unfinished(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)


class Part(Within, Whole):
    """The compiler of functions that kernels call."""


class Unfinished(codegen.JITCodeLibrary):
    """The code of a part, tidied alone; all else LLVM does where it is put.

    Not tidied, loops in kernels around it are not vectorised: derivatives along lines with coordinates of their own
    take twice as long. What calls functions by an address, as those that call themselves, is finished.
    """

    @property
    def _is_recursive(self) -> bool:
        prefix = codegen.RuntimeLinker.PREFIX
        return any(variable.name.startswith(prefix) for variable in self._final_module.global_variables)

    def _optimize_final_module(self) -> None:
        if self._is_recursive:
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        if self._is_recursive:
            super()._finalize_final_module()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        # Numba asks for that of the entry point from Python.
        return int(super().get_pointer_to_function(name)) if self._is_recursive else 0

    @property
    def codegen(self) -> Any:
        return super().codegen if self._is_recursive else self

    def set_env(self, name: str, env: Any) -> None:
        """Do nothing: there is no machine code that could ask for the environment."""
