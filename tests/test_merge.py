"""``omnicheck merge``: rows in dataset order, metrics that scikit-learn agrees with, nothing written on an error."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.errors import UsageError
from omnicheck.produce.merge import Merged, MergeRequest, merge
from tests.checks.trees import Tree, write_tree
from tests.make_fixtures.predictions import ACTIONS, answer, sample
from tests.make_fixtures.predictions import row as answered
from tests.make_fixtures.shards import CUT, M1, P1, P2, changed, dataset, logged, row, shard, statement, whole

SHARDS = tuple(Path(f"run/eval/shard_{at}") for at in range(3))


def ask(folder: Path, tree: Tree | None = None, **changes: Any) -> Merged:
    write_tree(folder, whole() if tree is None else tree)
    given: dict[str, Any] = {
        "shards": SHARDS,
        "dataset": Path("run/dataset/dataset.jsonl"),
        "out": Path("out/merged"),
        "cwd": folder,
    }
    return merge(MergeRequest(**{**given, **changes}))


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_rows_stand_in_dataset_order_whatever_the_order_of_shards(tmp_path: Path) -> None:
    merged = ask(tmp_path, shards=SHARDS[::-1])
    assert not merged.refused
    rows = read(tmp_path / "out/merged/predictions.jsonl")
    assert rows == [row(at) for at in range(10)]
    table = cells(tmp_path / "out/merged/predictions.csv")
    assert table[0][0] == "id"
    assert [each[0] for each in table[1:]] == [each["id"] for each in rows]
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["merged"]


def test_the_lines_of_the_shards_are_copied_byte_by_byte(tmp_path: Path) -> None:
    own = '{"id":"test-kitchen0__ep1:1" , "true_label":"rinse cup","predicted_label":"rinse\\u0020cup","split":"test"}'
    text = "\r\n".join([own, *(json.dumps(each) for each in shard(1)[1:])])
    ask(tmp_path, changed(whole(), **{P1: text}))
    assert (tmp_path / "out/merged/predictions.jsonl").read_text("utf-8").splitlines()[1] == own


def test_metrics_agree_with_scikit_learn(tmp_path: Path) -> None:
    scores = pytest.importorskip("sklearn.metrics")
    chance = random.Random(7)
    rows = [
        answered(at, answer(at, action=chance.choice(ACTIONS), subtask=chance.choice(["tidy up", "wash up", "rest"])))
        for at in range(40)
    ]
    tree: Tree = {"run/dataset/dataset.jsonl": [sample(at) for at in range(40)]}
    tree |= {f"run/eval/shard_{at}/predictions.jsonl": rows[at::3] for at in range(3)}
    metrics = ask(tmp_path, tree).metrics
    true, predicted = [each["true_label"] for each in rows], [each["predicted_label"] for each in rows]
    assert metrics["accuracy"] == pytest.approx(scores.accuracy_score(true, predicted))
    assert metrics["balanced_accuracy"] == pytest.approx(scores.balanced_accuracy_score(true, predicted))
    assert metrics["macro_f1"] == pytest.approx(scores.f1_score(true, predicted, average="macro"))
    assert metrics["weighted_f1"] == pytest.approx(scores.f1_score(true, predicted, average="weighted"))
    subtasks = [(each["true_json"]["subtask"], each["pred_json"]["subtask"]) for each in rows]
    assert metrics["subtask_accuracy"] == pytest.approx(scores.accuracy_score(*zip(*subtasks, strict=True)))
    assert metrics["json_validity_rate"] == metrics["object_micro_f1"] == 1.0
    written = cells(tmp_path / "out/merged/confusion_matrix.csv")
    labels = written[0][1:]
    matrix = scores.confusion_matrix(true, predicted, labels=labels).tolist()
    assert [[int(cell) for cell in line[1:]] for line in written[1:]] == matrix
    for label, *_, f1 in cells(tmp_path / "out/merged/per_class_metrics.csv")[1:]:
        assert float(f1) == pytest.approx(scores.f1_score(true, predicted, labels=[label], average="macro"))


def test_every_metric_names_its_definition(tmp_path: Path) -> None:
    metrics = ask(tmp_path).metrics
    named = metrics["metric_definitions"]
    assert named["macro_f1"] == "macro_f1@union"
    numbers = {name for name, value in metrics.items() if isinstance(value, float)}
    assert numbers == set(named)
    report = (tmp_path / "out/merged/RUN_REPORT.md").read_text("utf-8")
    assert all(f"`{definition}`" in report for definition in named.values())


@pytest.mark.parametrize("tree", [whole(), logged()], ids=["metrics", "logs"])
def test_the_merged_directory_passes_the_check(tmp_path: Path, tree: Tree) -> None:
    ask(tmp_path, tree)
    for paths in ((Path("out"),), (Path("out"), Path("run/dataset"), Path("run/eval"))):
        request = Request(
            paths=paths,
            cwd=tmp_path,
            select=("EVD", "PRD", "SHD", "OMN", "CNT", "RUN"),
            today=date(2026, 1, 31),
            use_cache=False,
            jobs=1,
        )
        report = check_paths(request, load_config(tmp_path, None, isolated=True))
        # Nothing records the making of a toy run.
        assert {each.rule for each in report.findings} <= {"RUN110"}
        assert "SHD106" in report.coverage.rules_run


REFUSED: dict[str, tuple[Tree, str]] = {
    "missing": (changed(whole(), **{P1: shard(1)[:-1]}), "SHD101"),
    "conflicting": (changed(whole(), **{P1: [*shard(1), row(6, "rinse cup")]}), "SHD102"),
    "identical": (changed(whole(), **{P1: [*shard(1), row(6)]}), "SHD102"),
    "train row": (changed(whole(), **{P1: [*shard(1), row(4, id="train-kitchen0__ep1:4", split="train")]}), "SHD103"),
    "exchanged": (changed(whole(), **{P1: shard(2), P2: shard(1)}), "SHD104"),
    "mixed": (changed(whole(), **{M1: statement(1, adapter_dir="checkpoints/noon/adapter_lora")}), "SHD105"),
    "cut": (changed(whole(), **{P1: CUT}), "SHD107"),
    "other truth": (changed(whole(), **{P1: [row(1, true_label="wipe shelf", correct=0), *shard(1)[1:]]}), "PRD106"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_error_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    tree, rule = REFUSED[name]
    merged = ask(tmp_path, tree)
    assert merged.refused
    assert rule in {each.rule for each in merged.findings if each.severity == "error"}
    assert merged.files == ()
    left = sorted((tmp_path / "out").iterdir()) if (tmp_path / "out").exists() else []
    assert left == []


@pytest.mark.parametrize("name", sorted(set(REFUSED) - {"missing"}))
def test_a_reason_excuses_nothing_but_missing_rows(tmp_path: Path, name: str) -> None:
    assert ask(tmp_path, REFUSED[name][0], incomplete="the night was short").refused


def test_missing_rows_are_accepted_with_a_reason_that_the_metrics_hold(tmp_path: Path) -> None:
    merged = ask(tmp_path, REFUSED["missing"][0], incomplete="the node died")
    assert {each.rule for each in merged.excused} == {"SHD101", "SHD104"}
    metrics = json.loads((tmp_path / "out/merged/metrics.json").read_text("utf-8"))
    assert metrics["incomplete"] == {"reason": "the node died", "missing_ids": ["test-kitchen1__ep1:7"]}
    assert metrics["coverage"]["missing_prediction_rows"] == 1
    assert "the node died" in (tmp_path / "out/merged/RUN_REPORT.md").read_text("utf-8")


def test_an_absent_shard_is_accepted_with_a_reason(tmp_path: Path) -> None:
    merged = ask(tmp_path, shards=SHARDS[1:], incomplete="shard 0 is being run again")
    assert merged.metrics["coverage"]["merged_prediction_rows"] == 6


def test_a_taken_target_is_refused_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    write_tree(tmp_path, {"out/merged/old.txt": "old"})
    with pytest.raises(UsageError, match="not empty"):
        ask(tmp_path)
    assert (tmp_path / "out/merged/old.txt").read_text() == "old"
    ask(tmp_path, overwrite=True)
    assert not (tmp_path / "out/merged/old.txt").exists()
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["merged"]


def test_a_refused_merge_replaces_nothing(tmp_path: Path) -> None:
    write_tree(tmp_path, {"out/merged/old.txt": "old"})
    assert ask(tmp_path, REFUSED["exchanged"][0], overwrite=True).refused
    assert (tmp_path / "out/merged/old.txt").read_text() == "old"


def test_a_target_that_holds_an_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds what is merged"):
        ask(tmp_path, out=Path("run/eval"), overwrite=True)


def test_a_rename_that_fails_leaves_the_old_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"out/merged/old.txt": "old"})
    rename = Path.rename

    def fail_once(self: Path, target: Path) -> Path:
        if self.name.endswith(".tmp"):
            raise OSError(28, os.strerror(28))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(UsageError, match="cannot be put in place"):
        ask(tmp_path, overwrite=True)
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["merged"]
    assert (tmp_path / "out/merged/old.txt").read_text() == "old"


def test_a_dry_run_writes_nothing_and_tells_the_same(tmp_path: Path) -> None:
    dry = ask(tmp_path, dry_run=True)
    assert not (tmp_path / "out").exists()
    wet = ask(tmp_path)
    assert (dry.files, dry.metrics) == (wet.files, wet.metrics)
    assert [size for _, size in wet.files] == [(tmp_path / "out/merged" / name).stat().st_size for name, _ in wet.files]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        ask(tmp_path, out=Path(name))
    for one in sorted((tmp_path / "a").iterdir()):
        assert one.read_bytes() == (tmp_path / "b" / one.name).read_bytes()


def test_shards_that_state_nothing_are_held_against_the_stride(tmp_path: Path) -> None:
    tree: Tree = {"run/dataset/dataset.jsonl": dataset()}
    tree |= {f"run/part{at}.jsonl": shard(at) for at in range(3)}
    files = tuple(Path(f"run/part{at}.jsonl") for at in range(3))
    assert not ask(tmp_path, tree, shards=files, stride=3).refused
    wrong = ask(tmp_path, tree, shards=(files[1], files[0], files[2]), stride=3, out=Path("other"))
    assert {each.rule for each in wrong.findings} == {"SHD104"}
    assert not (tmp_path / "other").exists()


def test_options_that_the_shards_contradict_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="stride 3"):
        ask(tmp_path, stride=4)
    with pytest.raises(UsageError, match="split 'test'"):
        ask(tmp_path, eval_split="val")
    with pytest.raises(UsageError, match="given twice"):
        ask(tmp_path, shards=(SHARDS[0], SHARDS[0]))
    with pytest.raises(UsageError, match="no prediction file"):
        ask(tmp_path, shards=(Path("run/dataset"),))


def test_the_command_gives_the_exit_codes_of_the_design(tmp_path: Path) -> None:
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "omnicheck", "merge", *more]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"}
        )

    write_tree(tmp_path, whole())
    shards = [path.as_posix() for path in SHARDS]
    done = run(*shards, "--dataset", "run/dataset/dataset.jsonl", "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "macro_f1 = " in done.stdout
    again = run(*shards, "--dataset", "run/dataset/dataset.jsonl", "--out", "out")
    assert again.returncode == 2
    assert "Traceback" not in again.stderr
    short = run(*shards[:2], "--dataset", "run/dataset/dataset.jsonl", "--out", "short")
    assert short.returncode == 1
    assert "SHD101" in short.stdout
    assert not (tmp_path / "short").exists()
    blank = run(*shards[:2], "--dataset", "run/dataset/dataset.jsonl", "--out", "short", "--allow-incomplete", " ")
    assert blank.returncode == 2
