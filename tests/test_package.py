"""The shape of the package itself: public names, the direction of imports, light start."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import irisrec

SOURCE = Path(irisrec.__file__).parent
# A module may import from its own room and from rooms before it, never from later ones.
ROOMS = [
    "errors",
    "notes",
    "ids",
    "files",
    "lock",
    "sums",
    "startup",
    "memory",
    "budget",
    "clock",
    "settings",
    "progress",
    "look",
    "native",
    "data",
    "features",
    "models",
    "evaluation",
    "training",
    "recommendation",
    "serving",
    "distributed",
    "experiments",
    "cli",
]
# The same inside the rooms whose files build on one another.
INNER = {
    "native": ["library", "choice", "threads", "lists", "pairs", "losses"],
    "models": [
        "options",
        "config",
        "products",
        "histories",
        "features",
        "shapley",
        "contract",
        "trainable",
        "blocks",
        "pair_triton",
        "pair_kernel",
        "pair_block",
        "item_tables",
        "attended",
        "uniform",
        "pair_scores",
        "modality_shares",
        "relevance",
        "vbpr",
        "ncf",
        "graphs",
        "lightgcn",
        "freedom",
        "towers",
        "content_map",
        "content_regression",
        "popularity",
        "chance",
        "item_weights",
        "neighbors",
        "linear",
        "factors",
        "ridge",
        "item_similarity",
        "masked",
        "growing",
        "prepared",
        "factory",
        "storage",
    ],
    "evaluation": [
        "metrics",
        "bootstrap",
        "config",
        "negatives",
        "ranking",
        "lists",
        "calibration",
        "unseen",
        "evaluate",
        "per_user",
        "seeds",
        "significance",
        "slices",
        "knockout",
        "robustness",
        "faithfulness",
    ],
    "training": ["config", "losses", "negatives", "checkpoints", "lazy_adam", "precision", "steps", "loop"],
}


def test_public_names_are_these_and_no_others():
    assert irisrec.__all__ == [
        "Catalog",
        "Dataset",
        "ExperimentConfig",
        "FeatureTable",
        "IdMap",
        "Interactions",
        "IrisrecError",
        "NewItem",
        "Reason",
        "Recommendation",
        "Recommender",
        "evaluate_run",
        "resume",
        "train",
    ]
    for name in irisrec.__all__:
        assert getattr(irisrec, name).__doc__, f"{name} has no documentation"


def imported(path: Path) -> set[tuple[str, ...]]:
    """Modules of the package that a file imports, function bodies included, typing-only imports left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing_only:
            assert not node.level, f"{path}: relative import"
            if node.module == "irisrec":
                found |= {("irisrec", alias.name) for alias in node.names}
            elif node.module.startswith("irisrec."):
                found.add(tuple(node.module.split(".")))
    return found


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_go_one_way(path):
    place = path.relative_to(SOURCE).with_suffix("").parts
    room = place[0]
    if room == "__init__":
        return
    assert room in ROOMS, f"{room} is a new room: give it a place in ROOMS"
    for module in imported(path):
        other = module[1]
        if other == "__version__":
            continue
        assert ROOMS.index(other) <= ROOMS.index(room), (
            f"{'/'.join(place)} imports {'.'.join(module)}, which comes later"
        )
        order = INNER.get(room)
        if order and other == room and len(module) > 2 and place[1] != "__init__":
            assert order.index(module[2]) < order.index(place[1]), (
                f"{'/'.join(place)} imports {'.'.join(module)}"
            )


def test_every_inner_order_names_every_file():
    for room, order in INNER.items():
        files = {path.stem for path in (SOURCE / room).glob("*.py")} - {"__init__"}
        assert files == set(order)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from typer.testing import CliRunner; from irisrec.cli.main import app; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0; "
        "heavy = {'torch', 'numpy', 'polars', 'matplotlib', 'pydantic', 'transformers'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_pickle_anywhere():
    for path in SOURCE.rglob("*.py"):
        names = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not names & {"pickle", "cPickle", "joblib", "dill", "cloudpickle"}, path
