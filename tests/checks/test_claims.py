"""CLM: a sound report is silent; each claim that the records contradict makes exactly one rule speak."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.facts.claims import sentences
from tests.checks.trees import Tree, check_tree, skipped, spoken
from tests.make_fixtures.claims import FIXTURES, LOSS, compared, listed, packed, presented, report, states

TITLE = "Walker LoRA Fine-Tuning"


def clean(title: str = TITLE, **metadata: Any) -> Tree:
    """Return a run that every CLM rule can judge and none may criticise."""
    trained = {"tuning_mode": "lora", "history": [LOSS]}
    return deepcopy(
        report(title, **(trained | metadata))
        | packed("pass", status="ready", pipeline_loaded=True)
        | presented()
        | compared("0.460000", "+0.060000", "v2 improves accuracy.")
        | states("Ready for 32-episode pilot: True", "The 128-episode pilot is complete.")
    )


def test_clean_run_is_silent(tmp_path: Path) -> None:
    found = check_tree(tmp_path, clean(), "CLM")
    assert spoken(found) == []
    assert list(skipped(found)) == ["CLM111"]


@pytest.mark.parametrize(
    ("tree", "rule"),
    [
        (clean() | presented(train="walk-smoke-test"), "CLM110"),
        (clean() | presented(train="walk_single_episode"), "CLM110"),
        (clean() | presented(episodes=1), "CLM110"),
        (clean(history=[]), "CLM106"),
        (clean(history=[{"train_loss": None}]), "CLM106"),
        (clean(history=[], weights_updated=False), "CLM106"),
        (clean(tuning_mode="full"), "CLM107"),
        (clean("Walker full-parameter training"), "CLM107"),
        (clean() | packed("pass", status="not_run"), "CLM109"),
        (clean() | compared("0.405000", "+0.005000", "v2 improves accuracy."), "CLM104"),
        (clean() | compared("0.390000", "-0.010000", "v2 improved accuracy."), "CLM104"),
    ],
)
def test_one_claim_one_rule(tmp_path: Path, tree: Tree, rule: str) -> None:
    assert [each for each, _ in spoken(check_tree(tmp_path, tree, "CLM"))] == [rule]


@pytest.mark.parametrize(
    "tree",
    [
        clean("Base model, not fine-tuned", history=[]),
        clean("Fine-tuning readiness", history=[]),
        clean("Walker LoRA and full-parameter training", tuning_mode="full"),
        clean("Notebook of explorations", tuning_mode="full", lora={"r": 4}),
        clean(history=[], weights_updated=True),
        clean(history=[]) | {"run/progress.jsonl": [{"event": "train_step", "global_step": 1, "timestamp": 1.0}]},
        clean() | packed("dry_run", status="not_run"),
        clean() | packed("pass", status="knotted_running", pipeline_loaded=None),
        clean() | compared("0.406000", "+0.006000", "v2 improves accuracy."),
        clean() | compared("0.390000", "-0.010000", "v2 never improves accuracy."),
        clean() | compared("0.390000", "-0.010000", "v1 improves accuracy."),
        clean() | compared("0.390000", "-0.010000", "v2 improves contact accuracy but accuracy falls."),
        clean() | compared("0.402000", "+0.002000", "v2 improves accuracy.", "Both use the same test rows."),
    ],
)
def test_other_words_are_left_alone(tmp_path: Path, tree: Tree) -> None:
    assert spoken(check_tree(tmp_path, tree, "CLM")) == []


def test_no_named_mode_is_skipped(tmp_path: Path) -> None:
    found = check_tree(tmp_path, report("Walker LoRA Training", history=[LOSS]), "CLM")
    assert "names one mode" in skipped(found)["CLM107"]


def test_fixtures_are_named_by_rule() -> None:
    assert {name.split("/")[0] for name in FIXTURES} == {
        "CLM103",
        "CLM104",
        "CLM106",
        "CLM107",
        "CLM109",
        "CLM110",
        "CLM111",
    }


def test_sentences_keep_their_lines() -> None:
    text = "# T\n\nOne is\nhere. Two is there.\n\n```\nNot this.\n```\n- Three.\n| a | b |\n"
    assert [(each.text, each.line) for each in sentences(text)] == [
        ("One is here.", 3),
        ("Two is there.", 4),
        ("- Three.", 9),
    ]


@given(st.text(alphabet="aA.!? \n|#-`*0\t\u2028"))
def test_sentences_come_from_the_text(text: str) -> None:
    lines = len(text.splitlines())
    found = sentences(text)
    assert all(1 <= each.line <= lines and each.text for each in found)
    assert [each.line for each in found] == sorted(each.line for each in found)


def test_a_plan_is_no_claim(tmp_path: Path) -> None:
    tree = clean() | compared("0.390000", "-0.010000", "A release follows once v2 improves accuracy.")
    assert spoken(check_tree(tmp_path, tree, "CLM")) == []


@pytest.mark.parametrize(
    "claim",
    [
        "The 128-episode pilot is not complete.",
        "No 128-episode pilot is complete.",
        "A report follows once the 128-episode pilot is complete.",
        "The 128-window pilot is complete.",
        "The 128-episode download is complete.",
        "The 31-episode pilot is complete.",
    ],
)
def test_other_states_do_not_contradict(tmp_path: Path, claim: str) -> None:
    tree = clean() | states("Ready for 32-episode pilot: False", claim)
    assert spoken(check_tree(tmp_path, tree, "CLM")) == []


def test_both_sides_of_a_contradiction_are_told(tmp_path: Path) -> None:
    tree = clean() | states("Ready for 32-episode pilot: False", "The 128-episode pilot has been completed.")
    found = check_tree(tmp_path, tree, "CLM")
    assert spoken(found) == [("CLM103", "run/BLOCKERS.md"), ("CLM103", "run/STATUS.md")]
    assert [each.line for each in found.findings] == [4, 3]


@pytest.mark.parametrize(
    ("claim", "lines"),
    [
        ("It is safe to deploy.", [3]),
        ("It has no camera. It is Safe-To-Deploy now.", [3]),
        ("# Safe to deploy", [3]),
        ("Notes\n\n- safe to deploy", [5]),
        ("It is unsafe to deploy.", []),
        ("It is safe to deployments.", []),
        ("It isn't safe to deploy.", []),
        ("Nobody may say 'safe to deploy' of it.", []),
        ("When it is safe to deploy, we release.", []),
        ("## Limitations\n\nSafe to deploy in a simulator.", []),
        ("```\nsafe to deploy\n```", []),
    ],
)
def test_forbidden_claims_are_read_by_words_and_scope(tmp_path: Path, claim: str, lines: list[int]) -> None:
    found = check_tree(tmp_path, listed(claim), "CLM111")
    assert [each.line for each in found.findings] == lines
    assert skipped(found) == {}
