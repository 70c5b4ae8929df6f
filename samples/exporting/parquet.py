"""Parquet files, by pyarrow: a row for each event or object, lists for what events own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from darkbelle.extras import needed_for
from darkbelle.ragged import offsets_by_length
from darkbelle.samples.exporting.tables import Block, Content

__all__ = ["write_parquet"]


def write_parquet(path: Path, content: Content) -> None:
    """A row group a block; unit and description stand with each field, the header with them all."""
    with needed_for("writing parquet files", "parquet"):
        import pyarrow as pa
        from pyarrow import parquet
    arrays = _arrays(next(content.blocks))
    fields = [
        pa.field(
            name,
            values.type,
            nullable=False,
            metadata=dict(zip(("unit", "description"), content.meanings[name], strict=True)),
        )
        for name, values in arrays.items()
    ]
    schema = pa.schema(fields, metadata={"darkbelle": json.dumps(content.header)})
    options = {"compression": "zstd", "use_dictionary": False}  # which numbers rarely repeat for
    with parquet.ParquetWriter(path, schema, **options) as writer:
        writer.write_batch(pa.record_batch(list(arrays.values()), schema=schema))
        del arrays
        for block in content.blocks:
            writer.write_batch(pa.record_batch(list(_arrays(block).values()), schema=schema))


def _arrays(block: Block) -> dict[str, Any]:
    """Columns of arrow, lists without copies."""
    import pyarrow as pa

    arrays = {
        name: pa.array(np.ascontiguousarray(values)) for name, values in block.columns.items()
    }
    for table, rows in block.lists.items():
        offsets = pa.array(offsets_by_length(rows.counts).astype(np.int32))
        for name, values in rows.columns.items():
            flat = pa.array(np.ascontiguousarray(values))
            of_all = pa.list_(pa.field("element", flat.type, nullable=False))
            arrays[f"{table}_{name}"] = pa.ListArray.from_arrays(offsets, flat, of_all)
    return arrays
