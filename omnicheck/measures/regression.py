"""Means of losses and position errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import dist, fsum, nan

from omnicheck.model.errors import ReadError

Pose = Sequence[Sequence[float]]
"""Joints of one frame, each with its coordinates."""


def mpjpe(true: Sequence[Pose], predicted: Sequence[Pose]) -> float | None:
    """Mean per-joint position error: the mean Euclidean distance over frames and joints.

    Args:
        true: for each frame, for each joint, its coordinates.
        predicted: the same shape, in the same unit and frame of reference; nothing is aligned.

    Returns:
        The error in the unit of the input; None when there is no joint.

    Raises:
        ReadError: the shapes differ.
    """
    if len(true) != len(predicted):
        raise ReadError(f"{len(true)} true frames, {len(predicted)} predicted ones")
    return mean_of(_joint_errors(true, predicted))


def mean_of(values: Iterable[float]) -> float | None:
    """Exactly rounded mean; None for no values, NaN when it is not defined (infinities of both signs, overflow)."""
    kept = list(values)
    if not kept:
        return None
    try:
        return fsum(kept) / len(kept)
    except (ValueError, OverflowError):
        return nan


def mean_of_shards(shards: Sequence[Sequence[float]]) -> dict[str, float]:
    """The two means that a run over several ranks may mean, by name.

    Returns:
        ``mean@samples``: each sample counts the same. ``mean@shards``: the mean of the shards' means, each shard
        counting the same; shards without samples are left out. Empty when there is no sample.
    """
    means = [mean for shard in shards if (mean := mean_of(shard)) is not None]
    values = {"mean@samples": mean_of(value for shard in shards for value in shard), "mean@shards": mean_of(means)}
    return {name: value for name, value in values.items() if value is not None}


def _joint_errors(true: Sequence[Pose], predicted: Sequence[Pose]) -> Iterable[float]:
    for frame, (left, right) in enumerate(zip(true, predicted, strict=True)):
        if len(left) != len(right):
            raise ReadError(f"frame {frame} has {len(left)} true joints, {len(right)} predicted ones")
        for joint, (here, there) in enumerate(zip(left, right, strict=True)):
            if len(here) != len(there):
                raise ReadError(
                    f"joint {joint} of frame {frame} has {len(here)} true coordinates, {len(there)} predicted ones"
                )
            yield dist(here, there)
