"""How large a model is as Python would store it, without a second copy of it in memory."""

import io
import pickle
from typing import Any


class _Counter(io.RawIOBase):
    """A file that only counts."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        length = memoryview(data).nbytes
        self.size += length
        return length


def stored_bytes(model: Any) -> int | None:
    """Bytes as pickled (protocol 5); None where the model cannot be stored so."""
    counter, buffers = _Counter(), []

    def outside(buffer: pickle.PickleBuffer) -> None:  # arrays are counted where they lie
        buffers.append(buffer.raw().nbytes)

    try:
        pickle.Pickler(counter, protocol=5, buffer_callback=outside).dump(model)
    except Exception:  # any class may refuse in its own way; the size is then simply unknown
        return None
    return counter.size + sum(buffers)
