"""A data frame as a file that the kit reads, and rows back as a data frame of the same kind."""

import hashlib
import importlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from model_eras.child import BadInput, CannotWrite


def saved(data: Any, folder: Path) -> tuple[Path, str]:
    """Write a data frame into a folder; (its file, the first letters of its checksum).

    data: of pandas or Polars, of Arrow, or anything else with Arrow's C interface. An index is no
    column and is left out. The same rows make the same file, so that what was run on them is found
    again. Raises BadInput for what is no table, CannotWrite.
    """
    table = arrow(data)
    import pyarrow.parquet

    part = folder / f".data-{os.getpid()}.parquet"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(table, part)
        with part.open("rb") as opened:
            checksum = hashlib.file_digest(opened, "sha256").hexdigest()[:8]
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, pyarrow.ArrowException):
            raise BadInput(f"the table cannot be stored ({first_line(error)})") from None
        if isinstance(error, OSError):
            raise CannotWrite(f"{folder} cannot be written ({error.strerror or error})") from None
        raise
    return part, checksum


def arrow(data: Any) -> Any:
    """As an Arrow table without what only pandas would read from it. Raises BadInput."""
    import pyarrow

    if hasattr(data, "reset_index"):  # pandas; its index would be a column
        data = data.reset_index(drop=True)
    elif hasattr(data, "collect_schema") and not hasattr(data, "__len__"):  # lazy
        data = data.collect()
    try:
        table = pyarrow.table(data)
    except (pyarrow.ArrowException, TypeError, ValueError, AttributeError) as error:
        kind = f"{type(data).__module__.partition('.')[0]}.{type(data).__name__}"
        raise BadInput(
            f"{kind} is no table that can be read ({first_line(error)}); give a data frame of "
            "pandas, Polars or Arrow, or the path of a file"
        ) from None
    return without_views(table).replace_schema_metadata(None)


def without_views(table: Any) -> Any:
    """The same with texts and categories in forms that Parquet's writer takes: Polars has its own
    for texts, and Arrow (26) writes them, but no dictionary of them."""
    import pyarrow

    for k, field in enumerate(table.schema):
        if pyarrow.types.is_dictionary(field.type) and str(field.type.value_type) == "string_view":
            column = pyarrow.chunked_array(
                [
                    pyarrow.DictionaryArray.from_arrays(
                        chunk.indices, chunk.dictionary.cast(pyarrow.large_string())
                    )
                    for chunk in table.column(k).chunks
                ],
                pyarrow.dictionary(field.type.index_type, pyarrow.large_string()),
            )
            table = table.set_column(k, field.name, column)
    return table


def library_of(data: Any) -> str:
    """Whose data frame it is: pyarrow's, or that of polars; pandas' for all others."""
    name = type(data).__module__.partition(".")[0]
    return name if name in ("polars", "pyarrow") else "pandas"


def frame(rows: Sequence[Mapping[str, Any]], library: str) -> Any:
    """Rows as a data frame of a library, which is loaded already if it is not pandas."""
    module = importlib.import_module(library)
    if library == "pyarrow":
        return module.Table.from_pylist(list(rows))
    if library == "polars":
        return module.DataFrame(list(rows), infer_schema_length=None)
    return module.DataFrame(list(rows))


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
