"""Trials: every combination once, in order, with its axes; a sample that computes and refuses what has no answer."""

import numpy as np
import pytest

from companion.trials import Axis, NotANumber, Sample, TrialFailed, trials


def run(width, start):
    return {"error": width * 10.0 + start, "path": np.arange(start + 1), "fine": start > 0}


SEEN = trials(run, width={"narrow": 1, "wide": 2}, start=range(3))
ERROR = SEEN.error


def values(sample):
    return [value.tolist() for value in sample]


def test_every_combination_runs_once_the_last_axis_fastest():
    calls = []

    def noting(width, start):
        calls.append((width, start))
        return {"x": 0.0}

    seen = trials(noting, width=[1, 2], start=range(3))
    assert calls == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    assert len(seen) == len(seen.x) == 6
    assert values(ERROR) == [10.0, 11.0, 12.0, 20.0, 21.0, 22.0]


def test_a_sample_is_one_array_with_the_axes_first():
    assert ERROR.array.tolist() == [[10, 11, 12], [20, 21, 22]]
    assert np.asarray(ERROR, dtype=int).dtype == int
    equal_lengths = trials(lambda k: {"pair": [k, -k]}, k=[1, 2, 3]).pair
    assert equal_lengths.array.shape == (3, 2)
    with pytest.raises(ValueError, match=r"path has arrays of different shapes, .*no one array"):
        SEEN.path.array  # noqa: B018 - it raises


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ({"network": [1, 2, 3], "start": range(6)}, "3 networks × 6 starts = 18 trials"),
        ({"start": range(6)}, "6 starts"),
        ({"start": [0]}, "1 start"),
        ({"start": [0], "width": [1, 2]}, "1 start × 2 widths = 2 trials"),
        ({"class": [1, 2]}, "2 classes"),
        ({"box": [1, 2]}, "2 boxes"),
        ({"branch": [1, 2]}, "2 branches"),
        ({"mesh": [1, 2]}, "2 meshes"),
        ({"geometry": [1, 2]}, "2 geometries"),
        ({"key": [1, 2]}, "2 keys"),
        ({"data_set": [1, 2]}, "2 data sets"),
        ({"samples": [1, 2]}, "2 samples"),
        ({"bias": [1, 2]}, "2 biases"),
        ({"H": [1, 2]}, "2 values of H"),
        ({"radius": Axis([1, 2], "radii")}, "2 radii"),
        ({"radius": Axis([1], "radii")}, "1 radius"),
    ],
)
def test_what_the_trials_are_writes_itself(axes, said):
    assert trials(lambda **_: {"x": 0.0}, **axes).x.over == said


def test_a_trial_is_named_by_its_values_or_by_the_names_of_a_mapping():
    assert ERROR.where(4) == "width = wide, start = 1"
    mixed = trials(lambda **_: {"x": 0.0}, rate=[0.1, 1 / 3], shape=[(2, 16, 1)], long=["x" * 60]).x
    assert mixed.where(1) == f"rate = 0.333333, shape = (2, 16, 1), long = {'x' * 37}…"


def test_results_are_reached_by_name():
    assert values(SEEN["error"]) == values(SEEN.error)
    assert "error" in dir(SEEN)
    assert SEEN.objects("fine") == [False, True, True, False, True, True]
    assert repr(SEEN) == "Trials(2 widths × 3 starts = 6 trials: error, path, fine)"
    assert repr(ERROR) == "Sample(error: 2 widths × 3 starts = 6 trials)"
    with pytest.raises(KeyError, match="return error, path, fine, and no 'eror'"):
        SEEN["eror"]
    with pytest.raises(AttributeError, match="no 'eror'"):
        SEEN.eror  # noqa: B018 - it raises
    assert not hasattr(SEEN, "_private")


# --- arithmetic and comparisons keep the axes ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (abs(-ERROR), [10, 11, 12, 20, 21, 22]),
        (ERROR + 1, [11, 12, 13, 21, 22, 23]),
        (1 + ERROR, [11, 12, 13, 21, 22, 23]),
        (ERROR - 1, [9, 10, 11, 19, 20, 21]),
        (1 - ERROR, [-9, -10, -11, -19, -20, -21]),
        (2 * ERROR, [20, 22, 24, 40, 42, 44]),
        (ERROR / 2, [5, 5.5, 6, 10, 10.5, 11]),
        (220 / ERROR, [22, 20, 220 / 12, 11, 220 / 21, 10]),
        (ERROR - ERROR, [0] * 6),
        (np.sqrt(ERROR * ERROR), [10, 11, 12, 20, 21, 22]),
        (np.float64(1) + ERROR, [11, 12, 13, 21, 22, 23]),
        (np.subtract(1, ERROR), [-9, -10, -11, -19, -20, -21]),
        (ERROR.map(lambda value: value // 10), [1, 1, 1, 2, 2, 2]),
        (ERROR < 12, [True, True, False, False, False, False]),
        (ERROR <= 12, [True, True, True, False, False, False]),
        (ERROR > 12, [False, False, False, True, True, True]),
        (12 < ERROR, [False, False, False, True, True, True]),  # noqa: SIM300 - Python turns it round
        (ERROR >= 20, [False, False, False, True, True, True]),
        (ERROR == 11, [False, True, False, False, False, False]),
        (ERROR != 11, [True, False, True, True, True, True]),
        (np.float64(12) < ERROR, [False, False, False, True, True, True]),
        (ERROR > ERROR - 1, [True] * 6),
        ((ERROR > 10) & (ERROR < 20), [False, True, True, False, False, False]),
        ((ERROR < 11) | (ERROR > 21), [True, False, False, False, False, True]),
        (~(ERROR > 11), [True, True, False, False, False, False]),
    ],
)  # fmt: skip
def test_a_sample_computes_trial_by_trial(made, expected):
    assert isinstance(made, Sample)
    assert made.over == ERROR.over
    assert made.where(4) == ERROR.where(4)
    assert values(made) == pytest.approx(expected)


def test_ragged_samples_compute_too():
    assert [value.tolist() for value in 2 * SEEN.path][2] == [0, 2, 4]
    assert [value.tolist() for value in SEEN.path >= 1][2] == [False, True, True]


def test_samples_of_other_trials_do_not_mix():
    other = trials(lambda start: {"x": 1.0}, start=range(6)).x
    with pytest.raises(
        ValueError,
        match="error and x come from other trials: 2 widths × 3 starts = 6 trials and 6 starts",
    ):
        ERROR + other


WITH_NAN = trials(lambda start: {"rate": np.nan if start == 1 else 2.0}, start=range(3)).rate


@pytest.mark.parametrize(
    "compare",
    [
        lambda: WITH_NAN < 3,
        lambda: WITH_NAN <= 3,
        lambda: WITH_NAN > 3,
        lambda: WITH_NAN >= 3,
        lambda: WITH_NAN == 3,
        lambda: WITH_NAN != 3,
        lambda: 3 > WITH_NAN,  # noqa: SIM300 - the other way round is another method
        lambda: np.float64(3) > WITH_NAN,
        lambda: np.less(WITH_NAN, 3),
        lambda: abs(WITH_NAN / 2 - 1) < 0.1,
    ],
)
def test_a_comparison_with_nan_has_no_answer(compare):
    with pytest.raises(NotANumber, match="rate is NaN at start = 1"):
        compare()


def test_a_comparison_with_nan_on_the_other_side_has_none_either():
    with pytest.raises(NotANumber, match="error is compared with NaN"):
        ERROR < np.nan  # noqa: B015, SIM300 - it raises
    with pytest.raises(NotANumber, match="rate is NaN"):
        trials(lambda start: {"x": 0.0}, start=range(3)).x < WITH_NAN  # noqa: B015 - it raises


def test_a_sample_is_no_truth_value_and_no_key():
    with pytest.raises(TypeError):
        hash(ERROR)


# --- what goes wrong is named -------------------------------------------------------------------------------


def test_a_trial_that_raises_names_its_values_and_keeps_the_cause():
    def failing(width, start):
        if (width, start) == (2, 1):
            raise ArithmeticError("rank was lost")
        return {"x": 0.0}

    with pytest.raises(
        TrialFailed,
        match=r"the trial at width = wide, start = 1 raised ArithmeticError: rank was lost",
    ) as failed:
        trials(failing, width={"narrow": 1, "wide": 2}, start=range(3))
    assert isinstance(failed.value.__cause__, ArithmeticError)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: trials("straight", start=[1]), TypeError, "runs a function"),
        (lambda: trials(run), ValueError, "at least one axis"),
        (lambda: trials(lambda start: {"x": 0}, start="abc"), TypeError, r"write \['abc'\]"),
        (lambda: trials(lambda start: {"x": 0}, start=[]), ValueError, "at least one value"),
        (lambda: trials(lambda start: 3.0, start=[1]), TypeError, r"results by name.*start = 1 returned 3\.0"),
        (lambda: trials(lambda start: {}, start=[1]), TypeError, "results by name"),
        (lambda: trials(lambda start: {"x": 0} if start else {"y": 0}, start=[1, 0]), ValueError, r"start = 0 returns \['y'\], the first one \['x'\]"),
        (lambda: trials(lambda: {"x": 0}, start=[1]), TrialFailed, "start = 1 raised TypeError"),
    ],
)  # fmt: skip
def test_what_is_no_trial_is_refused(make, error, told):
    with pytest.raises(error, match=told):
        make()
