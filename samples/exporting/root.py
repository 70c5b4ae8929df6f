"""ROOT files with a tree, by uproot: lists are branches ``x[nCOLLECTION]`` that share a counter.

ROOT keeps no units of branches, so that these stand in a text beside the tree (JSON).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from darkbelle.extras import needed_for
from darkbelle.ragged import offsets_by_length
from darkbelle.samples.exporting.tables import Block, Content

__all__ = ["write_root"]


def write_root(path: Path, content: Content) -> None:
    """A tree of the name of the content, with the texts ``header`` and ``columns`` beside it."""
    with needed_for("writing ROOT files", "root"):
        import uproot
    columns = {
        name: {"unit": unit, "description": description}
        for name, (unit, description) in content.meanings.items()
    }
    # an open file, since uproot takes colons in names for its own
    with path.open("wb+") as sink, uproot.recreate(sink) as file:
        file["header"] = json.dumps(content.header)
        file["columns"] = json.dumps(columns)
        branches = _branches(next(content.blocks))
        types = {name: _type_of(values) for name, values in branches.items()}
        tree = file.mktree(content.name, types, title=f"darkbelle {content.header['process']}")
        if any(map(len, branches.values())):
            tree.extend(branches)
        del branches
        for block in content.blocks:
            tree.extend(_branches(block))


def _branches(block: Block) -> dict[str, Any]:
    """Arrays of a row each, and records of lists, which become a branch for each field."""
    import awkward as ak

    branches: dict[str, Any] = {
        name: ak.Array(values) if values.dtype.kind == "U" else np.ascontiguousarray(values)
        for name, values in block.columns.items()
    }
    for table, rows in block.lists.items():
        contents = [ak.contents.NumpyArray(np.ascontiguousarray(v)) for v in rows.columns.values()]
        record = ak.contents.RecordArray(contents, list(rows.columns))
        offsets = ak.index.Index64(offsets_by_length(rows.counts))
        branches[table] = ak.Array(ak.contents.ListOffsetArray(offsets, record))
    return branches


def _type_of(values: Any) -> Any:
    """What uproot makes a branch of."""
    return values.dtype if isinstance(values, np.ndarray) else values.type.content
