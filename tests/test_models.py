"""One contract for every model that conf/model/ names, and what is particular to some of them."""

import ast
import copy
import dataclasses
import importlib
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from sklearn import datasets
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import train_test_split

from benchmarks.cell import rows as of_rows
from models import boosting, mlp, network, nystroem, random_forest, svm
from models.baseline import Baseline
from tests.examples import EXAMPLES, KINDS, answered, assert_same, strange, table
from tests.pretrained import tiny

ROOT = Path(__file__).parent.parent
CONFS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((ROOT / "conf" / "model").glob("*.yaml"))
    # A bound of a task is tested with the task; the others are another's class, on more rows, and
    # predictions made elsewhere (test_predictions.py).
    if "models." in path.read_text("utf-8") and path.stem not in ("finetuned_all", "predictions")
}


ENCODERS, DECODERS = ("static", "encoder"), ("prompted", "finetuned")  # sources, not YAML files


def model_class(name: str) -> Any:
    module, attribute = CONFS[name]["_target_"].rsplit(".", 1)
    return getattr(importlib.import_module(module), attribute)


def source(name: str) -> Path:
    return ROOT / (CONFS[name]["_target_"].rpartition(".")[0].replace(".", "/") + ".py")


def is_pretrained(name: str) -> bool:
    return source(name).stem in ENCODERS + DECODERS


def example(name: str, rows: int, seed: int, kind: str) -> tuple[Any, np.ndarray]:
    """Made-up rows of the view that a model reads first."""
    return EXAMPLES[view_of(name)](rows, seed, kind)


def view_of(name: str) -> str:
    return str(made(name).view).partition("|")[0]


def given_by(model: Any, X: Any, kind: str) -> np.ndarray:
    return model.predict(X) if kind == "regression" else model.predict_proba(X)


def made(name: str, **settings: Any) -> Any:
    """A model as its YAML has it, with other settings."""
    given = {k: v for k, v in CONFS[name].items() if k not in ("_target_", "space")}
    return model_class(name)(**{**given, **on_tiny_weights(name), **settings})


def on_tiny_weights(name: str) -> dict[str, Any]:
    """Settings of a pretrained model: weights by chance, which ask for longer steps."""
    kind = source(name).stem
    if kind in ENCODERS:
        return {"weights": tiny("encoder"), "C": 10.0}
    if kind not in DECODERS:
        return {}
    steps = {"learning_rate": 0.02, "max_epochs": 6} if kind == "finetuned" else {}
    return {"weights": tiny("decoder"), "max_new_tokens": 8, **steps}


def short(name: str, **settings: Any) -> Any:
    """A model whose fit is short: enough for what does not depend on how much it has learned."""
    few = {"max_epochs": 1} if source(name).stem == "finetuned" else {}
    return made(name, **{**(getattr(model_class(name), "warm_up", {}) or few), **settings})


@cache
def briefly_fitted(name: str, kind: str) -> Any:
    return short(name).fit(*example(name, 120, 0, kind))


@cache
def fitted(name: str, kind: str) -> Any:
    return made(name).fit(*example(name, 400, 0, kind))


def kinds(name: str) -> tuple[str, ...]:
    """Those of KINDS that a model answers: its class says so where it does not answer all."""
    answers = getattr(model_class(name), "answers", ("probabilities", "values"))
    return (KINDS[:2] if "probabilities" in answers else ()) + (
        KINDS[2:] if "values" in answers else ()
    )


PAIRS = [(name, kind) for name in CONFS for kind in kinds(name)]
every_model = pytest.mark.parametrize("name", CONFS)
every_model_and_kind = pytest.mark.parametrize(("name", "kind"), PAIRS)


@every_model
def test_opens_with_what_it_asks_and_costs(name: str) -> None:
    docstring = ast.get_docstring(ast.parse(source(name).read_text("utf-8"))) or ""
    openings = [line.partition(":")[0] for line in docstring.splitlines()[2:]]
    assert openings == ["You do", "It does", "Pays in"]


@every_model
def test_fits_on_a_few_screens(name: str) -> None:
    longer = {"network": 215, "svm": 165, "nystroem": 160, "boosting": 165}
    longer |= {"convnet": 160, "rocket": 160}
    longer |= {"gru": 160, "transformer": 300, "kalman": 260}
    longer |= {"prompted": 190, "finetuned": 190}
    limit = longer.get(source(name).stem, 145)
    assert len(source(name).read_text("utf-8").splitlines()) <= limit


@every_model
def test_settings_can_be_read_without_importing(name: str) -> None:
    tree = ast.parse(source(name).read_text("utf-8"))
    target = CONFS[name]["_target_"].rpartition(".")[2]
    [node] = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == target]
    read = {
        line.target.id: ast.literal_eval(line.value)
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value
    }
    real = {field.name: field.default for field in dataclasses.fields(model_class(name))}
    assert {key: read[key] for key in real} == real
    assert isinstance(read["era"], str)
    assert isinstance(read["year"], int)


@every_model
def test_constructor_only_stores(name: str) -> None:
    cls = model_class(name)
    odd = {field.name: object() for field in dataclasses.fields(cls)}
    assert vars(cls(**odd)) == odd


@every_model
def test_files_are_in_one_order(name: str) -> None:
    """The difference of two files is the lesson, so that what is the same stands at the same place
    and has the same name."""
    tree = ast.parse(source(name).read_text("utf-8"))
    target = CONFS[name]["_target_"].rpartition(".")[2]
    defined = [n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    assert defined[0].name == target
    helpers = [n.name for n in defined if isinstance(n, ast.FunctionDef)]
    shared = ["floats", "prepare", "find_device"]
    assert [name for name in helpers if name in shared] == [n for n in shared if n in helpers]
    methods = [n.name for n in defined[0].body if isinstance(n, ast.FunctionDef)]
    order = [
        "fetch",
        "fit",
        "n_parameters_",
        "tokens_",
        "spent_",
        "load",
        "represent",
        "prompts",
        "inputs",
    ]
    order += ["predict_proba", "predict", "answer"]
    assert [m for m in methods if not m.startswith("_")] == [m for m in order if m in methods]
    private = [m.startswith("_") for m in methods]
    assert private == sorted(private)
    fields = [field.name for field in dataclasses.fields(model_class(name))]
    given = ("view", "device", "cache", "task", "random_state", "n_jobs")
    given += ("checkpoints", "artifacts")
    last = [n for n in given if n in fields]
    assert fields[len(fields) - len(last) :] == last
    assert "view" in last
    constants = [
        line.target.id
        for line in defined[0].body
        if isinstance(line, ast.AnnAssign) and "ClassVar" in ast.unparse(line.annotation)
    ]
    assert constants[:2] == ["era", "year"]


@every_model
def test_space_names_settings_and_holds_their_kind(name: str) -> None:
    fields = {field.name: field for field in dataclasses.fields(model_class(name))}
    for setting, declared in (CONFS[name].get("space") or {}).items():
        assert setting in fields
        assert set(declared) == {"choices"} or {"low", "high"} <= set(declared)
        if "low" in declared:
            assert type(declared["low"]) is type(declared["high"])
            assert declared["low"] < declared["high"]


@every_model_and_kind
def test_fit_returns_self_and_changes_nothing_it_was_given(name: str, kind: str) -> None:
    X, y = example(name, 120, 0, kind)
    X_before, y_before = copy.deepcopy(X), y.copy()
    model = short(name)
    assert model.fit(X, y) is model
    given_by(model, X, kind)
    assert_same(X, X_before)
    np.testing.assert_array_equal(y, y_before)


@every_model_and_kind
def test_says_how_large_it_is_and_what_it_used(name: str, kind: str) -> None:
    model = briefly_fitted(name, kind)
    assert isinstance(model.n_parameters_, int)
    assert model.n_parameters_ > 0
    assert all(isinstance(key, str) for key in model.notes_)
    # What there is a choice of is noted as it was chosen.
    assert {"engine", "device"} & vars(model).keys() == {"engine", "device"} & model.notes_.keys()
    assert "auto" not in model.notes_.values()


@pytest.mark.parametrize(("name", "kind"), [p for p in PAIRS if p[1] != "regression"])
def test_probabilities(name: str, kind: str) -> None:
    model = fitted(name, kind)
    X, y = example(name, 300, 1, kind)
    probabilities = model.predict_proba(X)
    assert list(model.classes_) == sorted(set(y))
    assert probabilities.shape == (300, len(model.classes_))
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-9)


@every_model_and_kind
def test_beats_the_floor_on_what_can_be_learned(name: str, kind: str) -> None:
    X, y = example(name, 300, 1, kind)
    found = given_by(fitted(name, kind), X, kind)
    if source(name).stem == "prompted":
        pytest.skip("it learns nothing")
    if kind == "regression":
        explained = r2_score(y, found)
        assert abs(explained) < 0.05 if name == "baseline" else explained > 0.5
        return
    shares = np.unique(example(name, 400, 0, kind)[1], return_counts=True)[1] / 400
    floor = log_loss(y, np.tile(shares, (300, 1)))
    loss = log_loss(y, found)
    assert loss == pytest.approx(floor) if name == "baseline" else loss < 0.85 * floor


@every_model_and_kind
def test_gaps_and_what_was_never_seen(name: str, kind: str) -> None:
    X = strange(view_of(name), kind)
    assert np.isfinite(given_by(fitted(name, kind), X, kind)).all()


@every_model_and_kind
def test_same_seed_same_answers_to_the_bit(name: str, kind: str) -> None:
    X, _ = example(name, 200, 3, kind)
    once, again = briefly_fitted(name, kind), short(name).fit(*example(name, 120, 0, kind))
    np.testing.assert_array_equal(given_by(again, X, kind), given_by(once, X, kind))


@every_model_and_kind
def test_a_row_is_judged_by_itself(name: str, kind: str) -> None:
    model = fitted(name, kind)
    X, _ = example(name, 100, 4, kind)
    together = given_by(model, X, kind)
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = given_by(model, of_rows.take(X, order), kind)
    np.testing.assert_allclose(shuffled, together[order], rtol=1e-4, atol=1e-5)
    alone = given_by(model, of_rows.take(X, np.array([7])), kind)
    np.testing.assert_allclose(alone, together[[7]], rtol=1e-4, atol=1e-5)


@every_model_and_kind
def test_every_answer_goes_through_the_inputs(name: str, kind: str) -> None:
    """So that what it takes to make them can be timed inside a call."""
    if name == "baseline" or not hasattr(model_class(name), "inputs"):
        assert name == "baseline" or view_of(name) != "features"
        pytest.skip("it makes none")
    model, (X, _) = copy.copy(briefly_fitted(name, kind)), example(name, 30, 1, kind)
    expected, made = given_by(model, X, kind), model.inputs(X)
    model.inputs = lambda rows: made
    np.testing.assert_array_equal(
        given_by(model, of_rows.take(X, slice(None, None, -1)), kind), expected
    )


@pytest.mark.parametrize("name", ["nystroem", "random_forest", "xgboost", "mlp", "network"])
def test_another_seed_is_another_model(name: str) -> None:
    X, _ = table(200, 3, "binary")
    few = {"n_components": 50} if name == "nystroem" else {}  # not every row a landmark
    train = table(120, 0, "binary")
    one, other = (short(name, random_state=seed, **few).fit(*train) for seed in (0, 1))
    assert (one.predict_proba(X) != other.predict_proba(X)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_nystroem_keeps_so_many_rows_and_learns_from_them(kind: str) -> None:
    few = nystroem.Nystroem(n_components=50).fit(*table(300, 0, kind))
    landmarks, line = few.model_
    assert len(landmarks.components_) == 50
    assert few.n_parameters_ == landmarks.components_.size + line.coef_.size
    X, y = table(300, 1, kind)
    found = given_by(few, X, kind)
    if kind == "regression":
        assert r2_score(y, found) > 0.5
    else:
        assert (few.classes_[found.argmax(axis=1)] == y).mean() > 0.7


def test_nystroem_with_every_row_a_landmark_is_nearly_the_exact_machine() -> None:
    train, (X, _) = table(300, 0, "regression"), table(300, 1, "regression")
    kernel = {"gamma": 0.3, "C": 3.0}
    exact = svm.SVM(engine="sklearn", **kernel).fit(*train).predict(X)
    near = nystroem.Nystroem(n_components=300, **kernel).fit(*train).predict(X)
    far = nystroem.Nystroem(n_components=3, **kernel).fit(*train).predict(X)
    assert np.corrcoef(near, exact)[0, 1] > 0.98 > np.corrcoef(far, exact)[0, 1]


def test_the_exact_svm_ends_where_nystroem_goes_on() -> None:
    # The cell refuses more rows than `max_rows` (tests/test_own_table.py).
    assert svm.SVM().max_rows == 20_000 < nystroem.Nystroem().max_rows
    assert "nystroem" in (svm.__doc__ or "")


@pytest.mark.parametrize(
    ("name", "other", "kind"),
    [
        ("logistic", "ridge", "regression"),
        ("ridge", "logistic", "binary"),
        ("hashed_logistic", "factorisation", "regression"),
    ],
)
def test_who_cannot_answer_says_who_can(name: str, other: str, kind: str) -> None:
    assert kind not in kinds(name)
    with pytest.raises(ValueError, match=rf"^{name} predicts [^\n]+ there is {other}$"):
        model_class(name)().fit(*table(50, 0, kind))


def test_baseline_gives_the_most_common_of_any_answers() -> None:
    rows = ["a text"] * 5
    assert Baseline().fit(rows, ["b", "a", "a", "b", "c"]).answer(rows[:2]) == ["b", "b"]
    same = ["other", {"x": 1, "y": None}, {"y": None, "x": 1}]  # whatever order its keys are in
    assert Baseline().fit(rows[:3], same).answer(rows[:1]) == [same[1]]
    assert Baseline().fit(rows[:3], [1, True, True]).answer(rows[:1]) == [True]


ANSWERING = [n for n in CONFS if "answers" in getattr(model_class(n), "answers", ())]


@cache
def read(name: str) -> Any:
    return answering(name).fit(*answered(view_of(name), 150, 0))


def answering(name: str) -> Any:
    return short(name) if is_pretrained(name) else made(name)


@pytest.mark.parametrize("name", ANSWERING)
def test_answers_are_learned_and_nothing_given_is_changed(name: str) -> None:
    X, y = answered(view_of(name), 150, 0)
    X_before, y_before = copy.deepcopy(X), copy.deepcopy(y)
    model = short(name)
    assert model.fit(X, y) is model
    model.answer(X)
    assert_same(X, X_before)
    assert y == y_before
    assert model.n_parameters_ > 0
    if is_pretrained(name):  # these weights have read nothing
        return
    X, y = answered(view_of(name), 150, 1)
    assert np.mean([a == b for a, b in zip(read(name).answer(X), y, strict=True)]) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("name", ANSWERING)
def test_answers_are_the_same_again_and_in_any_company(name: str) -> None:
    X, _ = answered(view_of(name), 100, 2)
    model, again = read(name), answering(name).fit(*answered(view_of(name), 150, 0))
    together = model.answer(X)
    assert again.answer(X) == together
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = model.answer(of_rows.take(X, order))
    assert shuffled == [together[k] for k in order.tolist()]
    assert model.answer(of_rows.take(X, np.array([7]))) == [together[7]]
    assert model.answer(of_rows.take(X, np.arange(210) % 100))[207] == together[7]
    assert model.answer(of_rows.take(X, slice(0, 0))) == []


def test_svm_probabilities_cost_no_more_than_one_fit_of_half_the_rows_a_kernel(monkeypatch) -> None:
    fitted_rows = []

    class Counting(svm.sklearn.svm.SVC):
        def fit(self, X: Any, y: Any) -> Any:
            fitted_rows.append(len(X))
            return super().fit(X, y)

    monkeypatch.setattr(svm.sklearn.svm, "SVC", Counting)
    svm.SVM(engine="sklearn", gamma=0.3, C=3.0).fit(*table(400, 0, "binary"))
    assert sorted(fitted_rows) == [200, 400]


@pytest.mark.parametrize("name", ["svm", "nystroem"])
def test_kernel_probabilities_keep_the_class_that_the_machine_chose(name: str) -> None:
    model = fitted(name, "multiclass")
    X, _ = table(300, 1, "multiclass")
    chosen = model.classes_[model.predict_proba(X).argmax(axis=1)]
    np.testing.assert_array_equal(chosen, model.model_.predict(model.inputs(X)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["iris", "wine", "digits"])
def test_kernel_probabilities_of_several_classes_are_nearly_what_one_slope_can_give(
    name: str, seed: int
) -> None:
    """Where the second half was all right, the slope ran to its bound of 100: .80 for .10."""
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    y = bunch.target.astype(str).to_numpy().astype(object)
    train, test = train_test_split(np.arange(len(y)), random_state=seed, stratify=y, test_size=0.3)
    for kind in (svm, nystroem):
        model = getattr(kind, {svm: "SVM", nystroem: "Nystroem"}[kind])()
        model.fit(bunch.data.iloc[train], y[train])
        decision = model.model_.decision_function(model.inputs(bunch.data.iloc[test]))
        found, *others = (
            log_loss(y[test], kind.probabilities(slope, decision))
            for slope in (model.worth_, *np.geomspace(0.1, 50, 40))
        )
        assert found < min(others) + 0.06
        assert 1 < model.worth_ < 20


@pytest.mark.parametrize("model", [svm.SVM, nystroem.Nystroem])
@pytest.mark.parametrize("rows", [(40, 40, 1), (40, 1), (30, 1, 1, 30)])
def test_kernels_take_a_class_that_has_one_row(model: Any, rows: tuple[int, ...]) -> None:
    y = np.repeat([f"class {k}" for k in range(len(rows))], rows).astype(object)
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(len(y), 3)), columns=list("abc"))
    p = model().fit(X, y).predict_proba(X)
    assert p.shape == (len(y), len(rows))
    np.testing.assert_allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("model", [svm.SVM, nystroem.Nystroem])
def test_kernels_are_picked_as_the_data_asks(model: Any) -> None:
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.uniform(-1, 1, (500, 10)), columns=list("abcdefghij"))
    straight = X["a"] + X["b"] + 0.7 * random.normal(size=500) > 0
    checkered = X["a"] * X["b"] * X["c"] > 0
    found = [
        model().fit(X, np.where(rule, "in", "out").astype(object)).notes_["gamma"]
        for rule in (straight, checkered)
    ]
    assert found == [gamma for gamma, _ in model.KERNELS[:2]]


@pytest.mark.parametrize(
    ("module", "attribute", "name"),
    [(svm, "intelex_svm", "svm"), (random_forest, "intelex_ensemble", "random_forest")],
)
class TestEngine:
    rows: ClassVar[int] = 200

    def test_missing(self, module: Any, attribute: str, name: str, monkeypatch) -> None:
        monkeypatch.setattr(module, attribute, None)
        X, y = table(self.rows, 0, "binary")
        with pytest.raises(ImportError, match="pip install scikit-learn-intelex"):
            model_class(name)(engine="intelex").fit(X, y)
        assert model_class(name)().fit(X, y).notes_["engine"] == "sklearn"

    def test_asked_for_is_the_one_used(self, module: Any, attribute: str, name: str) -> None:
        X, y = table(self.rows, 0, "binary")
        assert model_class(name)(engine="sklearn").fit(X, y).notes_["engine"] == "sklearn"
        if getattr(module, attribute) is None:
            pytest.skip("scikit-learn-intelex is not installed")
        for kind in KINDS:
            used = model_class(name)(engine="intelex").fit(*table(self.rows, 0, kind)).notes_
            assert used["engine"] == "intelex", f"fell back to scikit-learn for {kind}"


def test_xgboost_stops_early_on_the_tail() -> None:
    # The head says `x > 0 is yes`; in the last fifth the rule is turned round. Whoever holds out
    # the tail sees the first tree make things worse; whoever holds out anything else does not.
    random = np.random.default_rng(0)
    X = pd.DataFrame({"x": random.normal(size=1000)})
    yes = (X["x"] > 0).to_numpy()
    same = np.where(yes, "yes", "no").astype(object)
    turned = same.copy()
    turned[800:] = np.where(yes[800:], "no", "yes")
    assert boosting.XGBoost().fit(X, same).notes_["best_iteration"] > 5
    assert boosting.XGBoost().fit(X, turned).notes_["best_iteration"] == 0


def test_network_stops_early_on_the_tail() -> None:
    random = np.random.default_rng(0)
    X = pd.DataFrame({"x": random.normal(size=2000)})
    yes = (X["x"] > 0).to_numpy()
    same = np.where(yes, "yes", "no").astype(object)
    turned = same.copy()
    turned[1800:] = np.where(yes[1800:], "no", "yes")
    quick = {"max_epochs": 8, "patience": 8}
    assert network.Network(**quick).fit(X, same).notes_["best_epoch"] > 3
    assert network.Network(**quick).fit(X, turned).notes_["best_epoch"] == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("model", [boosting.XGBoost, mlp.MLP, network.Network])
def test_a_device_asked_for_and_missing(model: Any) -> None:
    X, y = table(50, 0, "binary")
    with pytest.raises(ValueError, match=r"^device=cuda is missing: [^\n]+$"):
        model(device="cuda").fit(X, y)


@pytest.mark.parametrize("name", ["mlp", "network", "xgboost"])
def test_auto_takes_a_device_and_says_which(name: str) -> None:
    accelerator = torch.cuda.is_available() or (
        name != "xgboost" and (torch.xpu.is_available() or torch.backends.mps.is_available())
    )
    assert (fitted(name, "binary").notes_["device"] != "cpu") == accelerator


def test_every_xgboost_row_counts_in_the_final_fit() -> None:
    # Rows of the tail alone hold the second class's telling value.
    X = pd.DataFrame({"x": [0.0] * 800 + [1.0] * 200})
    y = np.array(["no", "yes"], dtype=object)[[*([0, 1] * 400), *([1] * 200)]]
    model = boosting.XGBoost(early_stopping_rounds=5).fit(X, y)
    low, high = model.predict_proba(pd.DataFrame({"x": [0.0, 1.0]}))[:, 1]
    assert high > low


UNITS = {  # of a target or a column
    "small": lambda v: v * 1e-6,
    "tiny": lambda v: v * 1e-12,
    "large": lambda v: v * 1e6,
    "far off": lambda v: v + 1e9,
    "far below": lambda v: v - 1e9,
}


@cache
def explained_in(name: str, what: str, unit: str) -> float:
    X, y = table(500, 0, "regression")
    if what == "target" and unit:
        y = UNITS[unit](y)
    if what == "columns" and unit:
        X = X.assign(**{c: UNITS[unit](X[c].astype(float)) for c in ("a", "b", "noise", "history")})
    model = short(name)
    return float(r2_score(y[400:], model.fit(X[:400], y[:400]).predict(X[400:])))


OF_TABLES = [n for n in CONFS if "regression" in kinds(n) and view_of(n) == "features"]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("what", ["target", "columns"])
@pytest.mark.parametrize("name", OF_TABLES)
def test_no_unit_and_no_zero_changes_what_is_explained(name: str, what: str, unit: str) -> None:
    usual = explained_in(name, "", "")
    assert explained_in(name, what, unit) == pytest.approx(usual, abs=0.02)


@pytest.mark.parametrize("engine", ["sklearn", "auto"])
@pytest.mark.parametrize("unit", UNITS)
def test_no_unit_changes_a_forest_of_either_engine(engine: str, unit: str) -> None:
    X, y = table(500, 0, "regression")
    found = []
    for values, columns in ((y, X), (UNITS[unit](y), X.assign(a=UNITS[unit](X["a"])))):
        model = random_forest.RandomForest(engine=engine, n_estimators=30)
        answers = model.fit(columns[:400], values[:400]).predict(columns[400:])
        found.append(r2_score(values[400:], answers))
    assert found[1] == pytest.approx(found[0], abs=0.02)
