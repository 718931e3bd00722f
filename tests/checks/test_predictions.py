"""PRD: a clean run is silent, one broken thing makes its rule speak, and counts agree with an independent count."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.facts.twins import spelled
from omnicheck.model.report import Report
from tests.fixture_cases import TODAY
from tests.make_fixtures.predictions import MANIFEST, ROWS, WITH_CONTRACT, answer, row, sample, table

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "xperience10m"
Files = dict[str, Any]


def check_tree(root: Path, files: Files, *select: str) -> Report:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            path.write_text("".join(json.dumps(each) + "\n" for each in content))
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    own = root / "omnicheck.toml"
    loaded = load_config(root, own if own.is_file() else None, isolated=not own.is_file())
    return check_paths(
        Request(paths=(Path("run"),), cwd=root, select=select, today=TODAY, use_cache=False, jobs=1), loaded
    )


def fired(report: Report) -> set[str]:
    return {each.rule for each in report.findings}


def clean() -> Files:
    return copy.deepcopy(
        {
            **WITH_CONTRACT,
            "run/dataset_manifest.json": MANIFEST,
            "run/dataset.jsonl": [sample(at) for at in range(4)],
            "run/metrics.json": {"num_samples": 4, "eval_split": "test", "json_validity_rate": 1.0},
            "run/predictions.jsonl": ROWS,
            "run/predictions.csv": table(ROWS),
            "run/predictions.partial.jsonl": ROWS[:2],
        }
    )


def put(files: Files, rows: list[dict[str, Any]]) -> None:
    files["run/predictions.jsonl"] = rows
    files["run/predictions.csv"] = table(rows)
    files["run/predictions.partial.jsonl"] = rows[:2]


def break_schema(files: Files) -> None:
    put(files, [*ROWS[:3], row(3, answer(3, transition="perhaps"))])


def break_option(files: Files) -> None:
    # Options are part of the strict schema, so PRD101 counts the row as well.
    put(files, [*ROWS[:3], row(3, answer(3, subtask="dry up"))])


def break_window(files: Files) -> None:
    put(files, [*ROWS[:3], row(3, answer(3, evidence_window={"start_frame": 0, "end_frame": 5}))])


def break_copy(files: Files) -> None:
    own = [answer(at, evidence_window={"start_frame": at * 50, "end_frame": at * 50 + 29}) for at in range(4)]
    put(files, [row(at, each) for at, each in enumerate(own)])


def break_table(files: Files) -> None:
    files["run/predictions.csv"] = files["run/predictions.csv"].replace("kitchen1__ep1,", "kitchen7__ep1,")


def break_flag(files: Files) -> None:
    put(files, [*ROWS[:3], {**ROWS[3], "correct": 0}])


def break_truth(files: Files) -> None:
    files["run/dataset.jsonl"][2]["answer_json"]["contact"] = "no"


def break_partial(files: Files) -> None:
    files["run/predictions.partial.jsonl"] = [ROWS[0], {**ROWS[1], "predicted_label": "wipe shelf"}]


def break_sample(files: Files) -> None:
    del files["run/dataset.jsonl"][1]["split"]


@pytest.mark.parametrize(
    ("mutate", "rules"),
    [
        (lambda _: None, set()),
        (break_schema, {"PRD101"}),
        (break_option, {"PRD101", "PRD102"}),
        (break_window, {"PRD103"}),
        (break_copy, {"PRD104"}),
        (break_table, {"PRD105"}),
        (break_flag, {"PRD106"}),
        (break_truth, {"PRD106"}),
        (break_partial, {"PRD107"}),
        (break_sample, {"PRD109"}),
    ],
)
def test_mutation(tmp_path: Path, mutate: Callable[[Files], None], rules: set[str]) -> None:
    files = clean()
    mutate(files)
    assert fired(check_tree(tmp_path, files, "PRD")) == rules


def test_the_clean_run_is_judged_by_every_rule_that_looks_at_one_run(tmp_path: Path) -> None:
    report = check_tree(tmp_path, clean(), "PRD")
    assert set(report.coverage.rules_run) == {f"PRD10{n}" for n in range(1, 10)} - {"PRD108"}


def test_another_adapter_with_the_same_predictions_is_a_clone(tmp_path: Path) -> None:
    files: Files = {}
    for name in ("one", "two"):
        files[f"run/{name}/predictions.jsonl"] = ROWS
        files[f"run/{name}/metrics.json"] = {"num_samples": 4, "adapter_dir": f"/data/{name}/adapter_lora"}
    assert fired(check_tree(tmp_path / "a", files, "PRD108")) == {"PRD108"}
    files["run/two/metrics.json"]["adapter_dir"] = "<project>/one/adapter_lora"
    assert fired(check_tree(tmp_path / "b", files, "PRD108")) == set()


def test_a_run_without_a_contract_skips_the_sample_contract(tmp_path: Path) -> None:
    files = {name: content for name, content in clean().items() if name.startswith("run/")}
    report = check_tree(tmp_path, files, "PRD109")
    assert [each.rule for each in report.coverage.rules_skipped] == ["PRD109"]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_every_value_has_a_spelling(value: Any) -> None:
    assert isinstance(spelled(value), str)


@given(
    st.integers(-(10**9), 10**9) | st.booleans() | st.none() | st.dictionaries(st.sampled_from("abc"), st.integers())
)
def test_a_cell_is_spelled_like_the_value_it_was_written_from(value: Any) -> None:
    assert spelled(str(value)) == spelled(value)
    assert spelled(json.dumps(value)) == spelled(value)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real result directories are not beside the project")
def test_counts_agree_with_a_plain_count_over_real_predictions() -> None:
    folder = REAL / "results" / "omni_finetune"
    manifest = json.loads((folder / "dataset_manifest.json").read_text())
    actions = {*manifest["action_options"], "unknown"}
    rows = [json.loads(line) for line in (folder / "predictions_eval.jsonl").read_text().splitlines()]
    parsed = [each["pred_json"] for each in rows if each["pred_json"]]
    report = check_paths(
        Request(paths=(Path("results"),), cwd=REAL, select=("PRD",), today=TODAY, use_cache=False, jobs=1),
        load_config(REAL, None, isolated=True),
    )
    found = {each.rule: each for each in report.findings if each.path.endswith("predictions_eval.jsonl")}
    assert found["PRD102"].actual["action"] == sum(each["action"] not in actions for each in parsed)
    assert found["PRD104"].actual == len(parsed)
    assert not {"PRD103", "PRD105", "PRD106", "PRD108", "PRD109"} & fired(report)
