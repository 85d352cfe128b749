"""Build what is released, in a copy of the tree, and look into it: ``python .ci/distributions.py FOLDER``.

The wheel is built from the archive of the sources, so that nothing is missing there. No network is needed.
"""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
MADE = [".git", ".venv*", "*.egg-info", "__pycache__", ".*_cache", "build", "dist"]
MADE += ["_build", "gallery", "generated", "jupyter_execute"]  # of the documentation


def main(folder: Path) -> None:
    """Build into a new folder, and end with an error if something is missing, or there that should not be."""
    shutil.rmtree(folder, ignore_errors=True)
    tree, out = folder / "tree", folder / "dist"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*MADE))
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(tree)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    (wheel,), (archive,) = out.glob("*.whl"), out.glob("*.tar.gz")
    subprocess.run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", wheel, archive], check=True)

    package = {str(path.relative_to(tree)) for path in (tree / "numgrad").rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if not name.endswith("/")}
    code, rest = {n for n in names if n.startswith("numgrad/")}, {n for n in names if not n.startswith("numgrad/")}
    wrong = [f"the wheel has not {name}" for name in package - code]
    wrong += [f"the wheel has {name}" for name in code - package]
    wrong += [f"the wheel has {name}" for name in rest if ".dist-info/" not in name]
    needed = ["numgrad/py.typed", "LICENSE", "entry_points.txt"]
    wrong += [f"the wheel has no {end}" for end in needed if not any(name.endswith(end) for name in names)]

    with tarfile.open(archive) as opened:
        has = {name.partition("/")[2] for name in opened.getnames()}
    kinds = ["*.md", "*.cff", "LICENSE", "pyproject.toml", "numgrad/**/*.py", "examples/*.py", "tests/**/*.py"]
    kinds += ["benchmarks/*.py", "docs/**/*.md", "docs/**/*.ipynb"]
    kept = {str(path.relative_to(tree)) for kind in kinds for path in tree.glob(kind)}
    wrong += [f"the sources have not {name}" for name in kept - has]
    wrong += [f"the sources have {name}" for name in has if name.endswith((".pyc", ".nbi", ".nbc")) or ".venv" in name]
    if wrong:
        sys.exit("\n".join(sorted(wrong)))
    print(f"{wheel.name}: {len(names)} files; {archive.name}: {len(has)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
