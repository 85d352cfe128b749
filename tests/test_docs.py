"""The pages: their code runs, no public name is missing, and messages that they explain are still those of the code."""

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import run_blocks

import numgrad

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
GENERATED = ("_build", "gallery", "generated", "jupyter_execute")
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if not set(GENERATED) & set(page.relative_to(DOCS).parts)]
BLOCKS = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.tier(0)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_blocks_of_code_run(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCKS.findall(page.read_text())
    assert all(block.startswith(">>> ") for block in blocks), "what is shown is run: begin it with >>>"
    run_blocks(blocks, str(page))


def test_every_public_name_has_its_page():
    text, module, listed = (DOCS / "reference" / "index.md").read_text(), "", set()
    for line in text.splitlines():
        if given := re.match(r"\.\. currentmodule:: (.*)", line):
            module = given[1]
        elif name := re.fullmatch(r"   (\w+)", line):
            listed.add(f"{module}.{name[1]}")
    modules = [numgrad, *(getattr(numgrad, name) for name in numgrad._MODULES)]
    public = {f"{one.__name__}.{name}" for one in modules for name in one.__all__}
    assert listed == {name for name in public if not name.startswith("numgrad.polars.")}  # the same as those of pandas


def literals(tree):
    """The texts in some code, with … in place of what an f-string fills in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_messages_are_those_of_the_code():
    trees = [ast.parse(file.read_text()) for file in (ROOT / "numgrad").rglob("*.py")]
    trees.append(ast.parse(inspect.getsource(np.gradient)))
    code = "\n".join(text for tree in trees for text in literals(tree))
    messages = re.findall(r"^``(.*)``\n: ", (DOCS / "reference" / "errors.md").read_text(), re.MULTILINE)
    assert len(messages) > 60
    assert len(set(messages)) == len(messages)
    missing = {message: part for message in messages for part in message.split("…") if part.strip() not in code}
    assert not missing
