"""Hearts follow the published equations, labels their probabilities, and measurements both."""

import importlib.util
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from benchmarks.cell import views
from tasks.base import UnknownView
from tasks.heartbeat import CLASSES, Heartbeat, by_patient, recordings
from tasks.heartbeat.dynamics import LOW, Bumps, Rhythm, beats, summed, trace
from tasks.heartbeat.features import measured
from tasks.heartbeat.generator import TRAITS, Loudness, draw_conditions, generate, heart

SMALL = {"rows": 300, "seconds": 6.0}
QUIET = {"noise": 0.0, "wander": 0.0, "motion": 0.0}
# Of McSharry et al. 2003, table 1: P, Q, R, S, T.
ANGLE = np.deg2rad([-70, -15, 0, 15, 100])
STRENGTH = np.array([1.2, -5.0, 30.0, -7.5, 0.75])
WIDTH = np.array([0.25, 0.1, 0.1, 0.1, 0.4])


# The published model


def integrated(periods: np.ndarray, hertz: int, start: float, level: float) -> np.ndarray:
    """z of the three published equations by Runge and Kutta's fourth-order steps, eight a sample;
    a beat goes from one opposite of R to the next."""
    ends, per_sample = np.cumsum(periods), 8
    step = 1 / (hertz * per_sample)

    def slope(state: np.ndarray, period: float) -> np.ndarray:
        x, y, z = state
        circle, w = 1 - np.hypot(x, y), 2 * np.pi / period
        away = (np.arctan2(y, x) - ANGLE + np.pi) % (2 * np.pi) - np.pi
        pushes = STRENGTH * away * np.exp(-(away**2) / (2 * WIDTH**2))
        return np.array([circle * x - w * y, circle * y + w * x, -pushes.sum() - (z - level)])

    state, found = np.array([-1.0, 0.0, start]), []
    for k in range(int(ends[-1] * hertz) * per_sample):
        if k % per_sample == 0:
            found.append(state[2])
        period = periods[np.searchsorted(ends, (k + 0.5) * step)]
        a = slope(state, period)
        b = slope(state + step / 2 * a, period)
        c = slope(state + step / 2 * b, period)
        d = slope(state + step * c, period)
        state = state + step / 6 * (a + 2 * b + 2 * c + d)
    return np.array(found)


def test_the_solution_is_what_the_published_equations_give_step_by_step() -> None:
    hertz, level = 250, 0.02
    periods = np.round(np.array([0.9, 0.8, 1.0, 0.7, 0.95, 1.1, 0.85]) * hertz) / hertz
    ends = np.cumsum(periods)
    peaks = (ends - periods / 2)[None]
    w = 2 * np.pi / periods[None, :, None]
    bumps = Bumps(ANGLE / w, WIDTH / w, STRENGTH * WIDTH**2 / w)
    samples = int(ends[-1] * hertz)
    (mine,) = trace(peaks, bumps, np.full((1, samples), level), hertz)
    published = integrated(periods, hertz, mine[0], level)
    height = np.ptp(published)
    assert height > 0.03
    assert np.abs(mine - published).max() < 0.005 * height
    # It is no accident: a beat of another length is not the same.
    (other,) = trace(peaks * 1.02, bumps, np.full((1, samples), level), hertz)
    assert np.abs(other - published).max() > 0.1 * height


def test_bumps_are_where_they_are_said_to_be_and_add_up() -> None:
    peaks = np.array([[1.0, 2.0], [1.5, 40.0]])
    one = Bumps(*(np.array([[[value]]]) for value in (0.1, 0.02, 2.0)))
    found = summed(peaks, one, 300, 100)
    time = np.arange(300) / 100
    for row, centres in zip(found, ([1.1, 2.1], [1.6]), strict=True):
        expected = sum(2 * np.exp(-(((time - centre) / 0.02) ** 2) / 2) for centre in centres)
        np.testing.assert_allclose(row, expected, atol=2e-3)
    both = Bumps(*(np.array([[[a, b]]]) for a, b in ((0.1, 0.12), (0.02, 0.05), (2.0, -1.0))))
    second = Bumps(*(part[:, :, 1:] for part in both))
    np.testing.assert_allclose(
        summed(peaks, both, 300, 100), found + summed(peaks, second, 300, 100), atol=1e-9
    )


def test_the_time_between_beats_has_the_published_spectrum() -> None:
    n, length, breathing, low_share = 300, 400, 0.25, 0.6
    of_all = (np.full(n, value) for value in (0.8, 0.05, low_share, breathing))
    peaks = beats(np.random.default_rng(0), Rhythm(*of_all), np.zeros(n), np.ones((n, length)))
    periods = np.diff(peaks, axis=1)
    assert periods.mean() == pytest.approx(0.8, abs=0.005)
    assert periods.std(axis=1).mean() == pytest.approx(0.05, rel=0.1)
    # At even moments, as a spectrum wants them.
    time = np.arange(0, 250, 0.5)
    even = np.array([np.interp(time, p[:-1], row) for p, row in zip(peaks, periods, strict=True)])
    power = (np.abs(np.fft.rfft(even - even.mean(axis=1, keepdims=True), axis=1)) ** 2).mean(axis=0)
    frequency = np.fft.rfftfreq(len(time), 0.5)
    low, high = (power[np.abs(frequency - f) < 0.04].sum() for f in (LOW, breathing))
    assert (low + high) / power.sum() > 0.9
    assert low / (low + high) == pytest.approx(low_share, abs=0.06)


def test_beats_keep_their_factor() -> None:
    still = Rhythm(*(np.array([value]) for value in (1.0, 0.0, 0.5, 0.25)))
    factor = np.array([[1.0, 0.6, 1.4, 1.0]])
    found = beats(np.random.default_rng(0), still, np.array([-0.5]), factor)
    np.testing.assert_allclose(found, [[-0.5, 0.5, 1.1, 2.5, 3.5]])


# Labels and their probabilities


def test_labels_are_drawn_from_the_probabilities_that_the_severities_give() -> None:
    drawn = draw_conditions(0, 60_000, 50_000, 0.3, 0.45)
    for code, name in enumerate(CLASSES):
        p, hit = drawn.probability[:, code], drawn.labels == code
        edges = np.quantile(p, np.linspace(0, 1, 13))
        for low, high in pairwise(edges):
            inside = (p >= low) & (p <= high)
            # Patients come more than once, so that errors are a little larger than a coin's.
            spread = 1.5 * np.sqrt((p[inside] * (1 - p[inside])).sum())
            assert abs(hit[inside].sum() - p[inside].sum()) < 4 * spread + 1, name


def test_probabilities_are_the_softmax_of_the_severities() -> None:
    drawn = draw_conditions(1, 200, 100, 0.5, 0.4)
    log_share = np.log([0.5] + [0.1] * 5)
    score = log_share + np.column_stack([np.zeros(200), (drawn.severity - 0.5) / 0.4**2])
    expected = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(drawn.probability, expected, atol=1e-12)


def test_overlap_is_a_dial_from_certainty_to_doubt() -> None:
    clear = draw_conditions(0, 500, 100, 0.3, 0.0)
    np.testing.assert_array_equal(clear.probability, np.eye(6)[clear.labels])
    losses = []
    for overlap in (0.2, 0.4, 0.7, 1.0):
        drawn = draw_conditions(0, 20_000, 5_000, 0.3, overlap)
        losses.append(log_loss(drawn.labels, drawn.probability))
    assert losses == sorted(losses)
    assert losses[0] < 0.1
    assert losses[-1] > 1.2


def test_shares_and_patients() -> None:
    drawn = draw_conditions(0, 30_000, 10_000, 0.4, 0.4)
    shares = np.bincount(drawn.labels) / 30_000
    np.testing.assert_allclose(shares, [0.4] + [0.12] * 5, atol=0.02)
    assert set(drawn.patients) == set(range(10_000)), "a patient without a recording"
    # A patient usually has the same.
    first, second = drawn.labels[:-1], drawn.labels[1:]
    same = drawn.patients[:-1] == drawn.patients[1:]
    assert (first == second)[same].mean() > (first == second)[~same].mean() + 0.3


# The task


@pytest.fixture(scope="module")
def data():
    return Heartbeat(**SMALL).load(0)


def test_no_patient_is_on_both_sides(data) -> None:
    drawn = draw_conditions(0, 300, 100, 0.3, Heartbeat().overlap)
    train, test = data.raw.train, data.raw.test
    assert sorted([*train, *test]) == list(range(300))
    assert not set(drawn.patients[train]) & set(drawn.patients[test])
    np.testing.assert_array_equal(data.group, drawn.patients[test])
    np.testing.assert_array_equal(data.train_labels, drawn.labels[train])
    assert len(test) == pytest.approx(0.33 * 300, abs=8)
    for labels in (data.train_labels, data.test_labels):
        assert set(labels) == set(range(6))


def test_another_seed_tests_other_patients_and_the_same_threads_do_not_matter() -> None:
    first = Heartbeat(**SMALL, n_jobs=1).load(3).raw
    again = Heartbeat(**SMALL, n_jobs=3).load(3).raw
    np.testing.assert_array_equal(first.signals, again.signals)
    np.testing.assert_array_equal(first.train, again.train)
    other = Heartbeat(**SMALL).load(4).raw
    assert not np.array_equal(first.signals, other.signals)
    assert not np.array_equal(first.test, other.test)


def test_a_trace_follows_from_severities_and_not_from_the_label() -> None:
    drawn = draw_conditions(0, 80, 30, 0.3, 0.4)
    other = drawn._replace(labels=np.zeros_like(drawn.labels), probability=drawn.probability[::-1])
    made = [generate(0, conditions, 125, 4, Loudness(1, 1, 1)) for conditions in (drawn, other)]
    np.testing.assert_array_equal(*made)


def test_views(data) -> None:
    task = Heartbeat(**SMALL)
    train, test = views.make(task, data, "signal")
    assert train.shape == (len(data.train_labels), 1, 750)
    assert test.shape == (len(data.test_labels), 1, 750)
    assert train.dtype == np.float32
    np.testing.assert_array_equal(train[5, 0], data.raw.signals[data.raw.train[5]])
    table, _ = views.make(task, data, "features")
    assert all(kind == np.float64 for kind in table.dtypes)
    pd.testing.assert_frame_equal(table[7:9].reset_index(drop=True), measured(train[7:9, 0], 125))
    with pytest.raises(UnknownView, match=r"offers features, signal$"):
        views.make(task, data, "recordings")


@pytest.mark.parametrize(("dial", "column"), [("noise", "noise"), ("wander", "power_slow")])
def test_dials_are_heard(dial: str, column: str) -> None:
    levels = [
        measured(Heartbeat(**SMALL, **(QUIET | {dial: loud})).load(0).raw.signals, 125)[column]
        for loud in (0.0, 1.0, 3.0)
    ]
    assert levels[0].median() < levels[1].median() < levels[2].median()


def test_movements_come_as_often_as_asked() -> None:
    still, some, many = (
        Heartbeat(**SMALL, **(QUIET | {"motion": loud})).load(0).raw.signals for loud in (0, 1, 4)
    )
    moved = [(np.abs(with_them - still).max(axis=1) > 0.05).mean() for with_them in (some, many)]
    assert moved[0] == pytest.approx(1 - np.exp(-1.5), abs=0.12)
    assert moved[1] > 0.95


def test_settings_that_contradict_each_other() -> None:
    with pytest.raises(ValueError, match=r"^400 patients need a recording each, and there are 300"):
        Heartbeat(rows=300, patients=400).check()


def test_a_class_that_one_patient_has_cannot_be_split() -> None:
    labels, patients = np.array([0, 1, 0, 1, 0, 2, 2]), np.array([0, 0, 1, 1, 2, 3, 3])
    with pytest.raises(
        ValueError, match=r"^the class 'c' is not on both sides [^\n]+ 2 recordings of 1 patients$"
    ):
        by_patient(labels, ("a", "b", "c"), patients, 0.4, 0)
    with pytest.raises(ValueError, match=r"^all recordings are of one patient"):
        by_patient(labels, ("a", "b", "c"), np.zeros(7, int), 0.4, 0)


# What is measured


def hearts(n: int, hertz: float, rate: np.ndarray, severity: np.ndarray) -> np.ndarray:
    """Still recordings of average people who differ in their rate alone."""
    traits = {name: np.full((n, 1), trait.median) for name, trait in TRAITS.items()}
    traits |= {"rate": rate[:, None], "variability": np.full((n, 1), 0.02)}
    return heart(np.random.default_rng(0), traits, severity, hertz, 10.0)


HEALTHY = np.full((20, 5), -0.3)  # so far from a condition that nothing of it is seen


@pytest.mark.parametrize("hertz", [50, 100, 125, 250, 360, 500])
@pytest.mark.parametrize("upside_down", [False, True])
def test_the_heart_rate_is_found_at_any_sampling_rate(hertz: int, upside_down: bool) -> None:
    rate = np.linspace(45, 150, 20)
    signals = hearts(20, hertz, rate, HEALTHY) * (-1 if upside_down else 1)
    found = measured(signals, hertz)["rate"]
    np.testing.assert_allclose(found, rate, rtol=0.03)


@pytest.mark.parametrize(
    ("condition", "column", "more"),
    [
        ("atrial fibrillation", "rr_cv", True),
        ("atrial fibrillation", "p_size", False),
        ("extra beats", "shortest", False),
        ("extra beats", "unlike", True),
        ("slow conduction", "p_time", True),
        ("poor blood supply", "st_level", False),
    ],
)
def test_each_condition_moves_what_a_doctor_looks_at(condition, column, more) -> None:
    rate = np.linspace(60, 90, 20)
    ill = HEALTHY.copy()
    ill[:, CLASSES.index(condition) - 1] = 1
    healthy, sick = (measured(hearts(20, 125, rate, who), 125)[column] for who in (HEALTHY, ill))
    assert (sick - healthy).median() * (1 if more else -1) > 0
    higher, lower = (sick, healthy) if more else (healthy, sick)
    assert (higher > lower).mean() > 0.8
    if column == "p_time":
        assert (sick - healthy).median() == pytest.approx(0.055 * 1.3, abs=0.012)


def test_broad_beats_have_a_second_peak() -> None:
    broad = HEALTHY.copy()
    broad[:, CLASSES.index("broad beats") - 1] = 1
    rate = np.full(20, 70.0)
    difference = hearts(20, 500, rate, broad) - hearts(20, 500, rate, HEALTHY)
    r = hearts(20, 500, rate, HEALTHY)[0].argmax()
    around = difference[0, max(0, r - 50) : r + 100]
    after = (around.argmax() - min(r, 50)) / 500
    assert after == pytest.approx(5.2 * 0.011, abs=0.004)


def test_measurements_of_what_is_no_heart() -> None:
    (good,) = hearts(1, 125, np.array([70.0]), HEALTHY[:1])
    half = good.copy()
    half[400:] = np.nan
    holes = good.copy()
    holes[200:260] = holes[700:701] = np.nan
    flat, none, stuck = np.full(1250, 0.7), np.full(1250, np.nan), good.copy()
    stuck[600:] = stuck[600]
    rows = np.array([good, half, holes, flat, none, stuck]).astype(np.float32)
    found = measured(rows, 125)
    assert not np.isinf(found.to_numpy()).any()
    np.testing.assert_allclose(found["rate"][[0, 1, 2, 5]], 70, rtol=0.04)
    assert found["beats"].tolist()[3:5] == [0, 0]
    for name in ("rate", "sdnn", "likeness", "r_size", "p_time", "st_level", "qrs_width"):
        assert found[name].isna().tolist() == [False, False, False, True, True, False], name
    assert found["gaps"].tolist() == pytest.approx([0, 0.68, 61 / 1250, 0, 1, 0])
    assert found["flat"][3] == 1
    for k in range(len(rows)):  # each row by itself
        alone = measured(rows[k : k + 1], 125)
        pd.testing.assert_frame_equal(alone, found[k : k + 1].reset_index(drop=True), rtol=1e-6)


def test_measurements_of_the_shortest_recording() -> None:
    short = measured(Heartbeat(rows=60, patients=20, seconds=3.0, hertz=50).load(0).raw.signals, 50)
    assert len(short) == 60
    assert short["rate"].notna().mean() > 0.7


# Real recordings

has_wfdb = pytest.mark.skipif(
    importlib.util.find_spec("wfdb") is None, reason="needs pip install 'model-eras[wfdb]'"
)


@pytest.fixture
def write(tmp_path):
    """Write a WFDB record of two leads."""

    def call(name: str, signal: np.ndarray, hertz: float = 250, comments=()) -> None:
        import wfdb

        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        both = np.column_stack([signal, -signal])
        wfdb.wrsamp(
            place.name,
            fs=hertz,
            units=["mV", "mV"],
            sig_name=["II", "V5"],
            p_signal=both,
            fmt=["16", "16"],
            comments=list(comments),
            write_dir=str(place.parent),
        )

    return call


def sine(seconds: float, hertz: float = 250, cycles: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * cycles * np.arange(round(seconds * hertz)) / hertz)


@has_wfdb
def test_records_become_windows_with_the_labels_of_a_file(write, tmp_path) -> None:
    write("a", sine(25))
    write("more/b", sine(12, hertz=500), hertz=500)
    write("c", sine(4))
    write("unlisted", sine(10))
    lines = ["record,label,patient", "a,normal,Ann", "more/b,ill,Bob", "c,ill,Ann"]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    found = recordings.read(str(tmp_path), 125, 10.0, None)
    assert found.signals.shape == (4, 1250)
    assert found.signals.dtype == np.float32
    assert list(found.labels) == ["normal", "normal", "ill", "ill"]
    assert list(found.patients) == ["Ann", "Ann", "Bob", "Ann"]
    expected = sine(10, hertz=125)
    for window in found.signals[:3]:
        np.testing.assert_allclose(window[50:-50], expected[50:-50], atol=0.02)
    np.testing.assert_allclose(found.signals[3, 50:450], expected[50:450], atol=0.02)
    assert np.isnan(found.signals[3, 500:]).all()
    assert found.said == [
        "4 windows of 10 s from 3 records of 2 patients",
        "2 records were resampled from 250 to 125 Hz",
        "1 records were resampled from 500 to 125 Hz",
        "1 records are shorter than 10 s: their end is missing",
        "1 records that labels.csv does not name are left out",
    ]
    (other,) = recordings.read(str(tmp_path), 125, 10.0, "V5").signals[:1]
    np.testing.assert_allclose(other, -found.signals[0], atol=1e-3)


@has_wfdb
def test_a_folder_is_a_task(write, tmp_path) -> None:
    rng = np.random.default_rng(0)
    for k in range(12):
        label = ("normal", "ill")[k % 2]
        comments = [f"label: {label}", f"patient: {k // 2 * 2 + k % 2}"]
        write(f"r{k}", sine(21, cycles=2 + k % 2) + 0.1 * rng.normal(size=5250), comments=comments)
    task = Heartbeat(path=str(tmp_path), hertz=100)
    task.check()
    data = task.load(0)
    assert data.classes == ("normal", "ill")
    assert data.kind == "binary"
    assert len(data.train_labels) + len(data.test_labels) == 24
    train, test = views.make(task, data, "signal")
    assert train.shape[1:] == test.shape[1:] == (1, 1000)
    assert task.notices(data)[0] == "24 windows of 10 s from 12 records of 12 patients"
    assert set(data.test_ids) == set(data.raw.test)
    table, _ = views.make(task, data, "features")
    assert len(table) == len(data.train_labels)


@has_wfdb
def test_a_gap_stays_a_gap_and_empty_windows_are_left_out(write, tmp_path) -> None:
    signal = sine(30)
    signal[1000:1250] = np.nan
    signal[5000:] = np.nan
    write("a", signal, comments=["label: x"])
    found = recordings.read(str(tmp_path), 125, 10.0, None)
    assert len(found.signals) == 2
    missing = np.isnan(found.signals[0])
    assert missing.sum() == pytest.approx(125, abs=2)
    assert missing[510:620].all()
    np.testing.assert_allclose(found.signals[0, 50:480], sine(10, 125)[50:480], atol=0.02)
    assert "1 windows in which nothing was recorded are left out" in found.said


@has_wfdb
@pytest.mark.parametrize(
    ("lines", "lead", "sentence"),
    [
        (None, None, r"the record 'a' has no label: neither a file .*labels.csv nor a comment"),
        (["record,label", "b,x"], None, r"names the record 'b', and there is no b.hea$"),
        (["record,label", "a,x", "a,y"], None, r"names the record 'a' twice$"),
        (["record,label", "a,"], None, r"has no label for the record 'a'$"),
        (["name,label", "a,x"], None, r"has no column 'record', but name, label$"),
        (["record,label"], None, r"names no record$"),
        (["record,label", "a,x"], "V1", r"has no lead 'V1', but II, V5$"),
        (["record,label", "a,x"], None, r"all recordings of .* have the label 'x'$"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said_in_a_sentence(
    write, tmp_path, lines, lead, sentence
) -> None:
    write("a", sine(10))
    if lines:
        (tmp_path / "labels.csv").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=sentence) as caught:
        Heartbeat(path=str(tmp_path), lead=lead).check()
    assert "\n" not in str(caught.value)


@has_wfdb
def test_folders_and_files_that_are_no_recordings(tmp_path, write) -> None:
    with pytest.raises(ValueError, match=r"^there is no folder .*nowhere$"):
        Heartbeat(path=str(tmp_path / "nowhere")).check()
    with pytest.raises(ValueError, match=r"holds no WFDB records: there is no file \*.hea in it$"):
        Heartbeat(path=str(tmp_path)).check()
    write("a", sine(10), comments=["label: x"])
    (tmp_path / "a.dat").write_bytes(b"cut")
    with pytest.raises(ValueError, match=r"a cannot be read: [^\n]+$"):
        Heartbeat(path=str(tmp_path)).check()
    (tmp_path / "a.hea").write_text("what is this?")
    with pytest.raises(ValueError, match=r"a.hea cannot be read: [^\n]+$"):
        Heartbeat(path=str(tmp_path)).check()


def test_without_wfdb_a_sentence_says_what_to_install(monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, "wfdb", None)
    with pytest.raises(ValueError, match=r"needs pip install 'model-eras\[wfdb\]' \([^\n]+\)$"):
        Heartbeat(path=str(tmp_path)).check()


def test_resampling_keeps_what_was_there_and_what_was_not() -> None:
    np.testing.assert_array_equal(recordings.at_rate(np.arange(5.0), 125, 125), np.arange(5.0))
    signal = 3 + sine(8, hertz=360)
    signal[720:1080] = np.nan
    found = recordings.at_rate(signal, 360, 125)
    assert len(found) == 1000
    assert np.isnan(found[252:373]).all()
    there = np.r_[5:240, 385:995]
    np.testing.assert_allclose(found[there], (3 + sine(8, hertz=125))[there], atol=0.02)
    assert np.isnan(recordings.at_rate(np.full(36, np.nan), 360, 125)).all()
