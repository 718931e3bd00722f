"""Arithmetic on the bytes of tensors: whether numbers are finite or zero, and how large a low-rank update is.

Small tensors are looked at by the standard library, so that a small adapter does not cost the import of numpy.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from msgspec import Struct

CHUNK = 1 << 22
"""Elements looked at together: small enough for the cache."""

SMALL = 4096
"""Elements up to which the standard library is faster than the import of numpy."""

SMALL_RANK = 16

_CODES = {"F32": "f", "F16": "e", "F64": "d", "BF16": "H"}


class Numbers(Struct, frozen=True):
    """Where the numbers of a tensor are.

    Attributes:
        data: buffer that holds them.
        dtype: ``F64``, ``F32``, ``F16`` or ``BF16``, little endian.
        shape: elements along each axis.
        begin: first byte in the buffer.
    """

    data: Any
    dtype: str
    shape: tuple[int, ...]
    begin: int

    @property
    def elements(self) -> int:
        """How many there are."""
        return math.prod(self.shape)


def is_floating(dtype: str) -> bool:
    """Whether numbers of a type are looked at."""
    return dtype in _CODES


def state_of(numbers: Numbers) -> tuple[int, bool]:
    """Return how many numbers are not finite, and whether all are zero."""
    if numbers.elements <= SMALL:
        values = _values(numbers)
        return sum(not math.isfinite(value) for value in values), not any(values)
    import numpy as np  # noqa: PLC0415 - loaded only where there are large weights

    array, wrong, zero = _array(numbers), 0, True
    for start in range(0, len(array), CHUNK):
        chunk = array[start : start + CHUNK]
        if chunk.dtype == np.uint16:
            magnitude = chunk & 0x7FFF
            top = magnitude.max()
            zero = zero and top == 0
            wrong += int(np.count_nonzero(magnitude >= 0x7F80)) if top >= 0x7F80 else 0
        else:
            zero = zero and not chunk.any()
            finite = np.isfinite(chunk)
            wrong += 0 if finite.all() else int(len(chunk) - np.count_nonzero(finite))
    return wrong, zero


def update_norm(a: Numbers, b: Numbers) -> float:
    """Return the Frobenius norm of B times A, for A of shape [rank, inputs] and B of shape [outputs, rank].

    Two Gram matrices of the rank's size are enough: ‖BA‖² is the trace of AAᵀ times BᵀB.
    """
    rank = a.shape[0]
    if max(a.elements, b.elements) <= SMALL and rank <= SMALL_RANK:
        inputs, outputs = a.shape[1], b.shape[0]
        left, flat = _values(a), _values(b)
        rows = [left[i * inputs : (i + 1) * inputs] for i in range(rank)]
        columns = [flat[i::rank] for i in range(rank)] if outputs else [()] * rank
        squared = math.fsum(
            math.fsum(x * y for x, y in zip(rows[i], rows[j], strict=True))
            * math.fsum(x * y for x, y in zip(columns[i], columns[j], strict=True))
            for i in range(rank)
            for j in range(rank)
        )
    else:
        import numpy as np  # noqa: PLC0415 - as above

        wide, tall = _matrix(a), _matrix(b)
        squared = float(np.sum((wide @ wide.T) * (tall.T @ tall).T))
    return math.sqrt(max(squared, 0.0)) if math.isfinite(squared) else math.inf


def _values(numbers: Numbers) -> tuple[float, ...]:
    found = struct.unpack_from(f"<{numbers.elements}{_CODES[numbers.dtype]}", numbers.data, numbers.begin)
    if numbers.dtype != "BF16":
        return found
    # The upper half of a float32.
    return struct.unpack(f"<{len(found)}f", b"".join(struct.pack("<HH", 0, bits) for bits in found))


def _array(numbers: Numbers) -> Any:
    import numpy as np  # noqa: PLC0415 - as above

    kind = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "BF16": np.uint16}[numbers.dtype]
    return np.frombuffer(numbers.data, kind, numbers.elements, numbers.begin)


def _matrix(numbers: Numbers) -> Any:
    import numpy as np  # noqa: PLC0415 - as above

    array = _array(numbers)
    if numbers.dtype == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    elif numbers.dtype != "F32":
        array = array.astype(np.float32)
    return array.reshape(numbers.shape)
