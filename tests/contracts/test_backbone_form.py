"""The cheap way to judge a contract says what the models say, and never loads them for a sound one."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from omnicheck.contracts import sample_models
from omnicheck.contracts.backbone import validate_backbone
from omnicheck.contracts.backbone_form import has_form, issues_of_contract
from omnicheck.contracts.registry import BUILTIN
from omnicheck.contracts.samples import sample_contract_of

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
KITCHEN = json.loads((DEMO / "contracts" / "kitchen_episode_qa.json").read_text("utf-8"))
RICH: dict[str, Any] = {
    **KITCHEN,
    "environment": {"transformers": "4.57.0"},
    "publish": {"ship": [{"role": "adapter_weights", "kind": "safetensors", "sha256": "0" * 64}]},
    "do_not_claim": ["state of the art"],
}
WINDOW = {"kind": "future_window", "horizon_frames": 40, "conditioning": ["video"], "targets": ["contact"]}
ACTION = {
    "kind": "observation_action",
    "action_targets": [
        {
            "kind": "hand_trajectory",
            "dims": 6,
            "normalization": {"fit_split": "train", "stats_file": "normalization_stats.json"},
        }
    ],
}
SOUND = [RICH, {**RICH, "sample_contract": WINDOW}, {**RICH, "sample_contract": ACTION}, KITCHEN]
MODELS: TypeAdapter[Any] = TypeAdapter(sample_models.SampleContract)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 8.0, 2**70, "", " ", "\n", "\x1c", "x\n", "a@b\n", "\ud800", "row", "train", "video"]),
    st.text(max_size=6),
    st.lists(st.sampled_from(["a", "", 3, None, "video"]), max_size=3),
    st.dictionaries(st.sampled_from(["kind", "train", "fields", "x"]), st.sampled_from([1, "a", None]), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def mutated(data: st.DataObject, value: Any) -> Any:
    """Return a copy with one place replaced by junk, removed, or given a further key."""
    value = copy.deepcopy(value)
    *parents, last = data.draw(st.sampled_from(places(value)[1:]))
    here = value
    for key in parents:
        here = here[key]
    deed = data.draw(st.sampled_from(["replace", "remove", "add", "double"]))
    if deed == "remove":
        del here[last]
    elif deed == "add" and isinstance(here, dict):
        here[data.draw(st.sampled_from(["extra", "ID", "kind", "publish"]))] = data.draw(JUNK)
    elif deed == "double" and isinstance(here, list):
        here.append(here[last])
    else:
        here[last] = data.draw(JUNK)
    return value


@pytest.mark.parametrize("value", [*SOUND, *(json.loads(path.read_text("utf-8")) for path in BUILTIN.glob("*.json"))])
def test_a_sound_contract_is_known_by_its_form(value: dict[str, Any]) -> None:
    assert has_form(value)
    assert issues_of_contract(value) == validate_backbone(value)[1]


@given(st.sampled_from(SOUND), st.data())
def test_both_ways_say_the_same_of_a_broken_contract(value: dict[str, Any], data: st.DataObject) -> None:
    broken = mutated(data, value)
    assert issues_of_contract(broken) == validate_backbone(broken)[1]


@given(st.sampled_from([each["sample_contract"] for each in SOUND]), st.data())
@example({**WINDOW, "horizon_frames": None}, None)
@example({"kind": "observation_action", "action_targets": [{"kind": "hand_trajectory"}]}, None)
@example({"kind": "observation_action", "action_targets": [{"kind": "camera_pose_delta"}]}, None)
def test_rows_meet_a_sample_contract_exactly_when_the_model_accepts_it(value: Any, data: Any) -> None:
    broken = value if data is None else mutated(data, value)
    try:
        MODELS.validate_python(broken)
        sound = True
    except ValidationError:
        sound = False
    assert (sample_contract_of({"sample_contract": broken}) is not None) is sound


def test_what_a_sample_contract_leaves_open_is_the_same_in_both() -> None:
    for raw in (WINDOW, ACTION, {"kind": "episode_qa"}):
        plain = sample_contract_of({"sample_contract": raw})
        model = MODELS.validate_python(raw)
        for name in type(model).model_fields:
            left, right = getattr(plain, name), getattr(model, name)
            assert _plain(left) == _plain(right), name


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    names = getattr(type(value), "__struct_fields__", None) or getattr(type(value), "model_fields", None)
    return {name: _plain(getattr(value, name)) for name in names} if names else value


def test_a_check_under_a_sound_contract_does_not_load_pydantic(tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import date; from pathlib import Path\n"
        "from omnicheck.engine.check import Request, check_paths\n"
        "from omnicheck.engine.config import load_config\n"
        f"here = Path({str(DEMO)!r})\n"
        "report = check_paths(Request(paths=(Path('sound'),), cwd=here, today=date(2026, 1, 31), use_cache=False,"
        " jobs=1, select=('CTR', 'PRD')), load_config(here, None, isolated=True))\n"
        "assert report.runs[0].contract == 'kitchen_episode_qa', report.runs\n"
        "assert {'CTR101', 'PRD101', 'PRD109'} <= set(report.coverage.rules_run)\n"
        "sys.exit('pydantic' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
