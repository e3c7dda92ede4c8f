"""The tests are tested: faults, each planted in a copy of geoflow and seen by the unit tests; one a chapter, by its claims.

A fault is a few textual replacements, each of which must match exactly once: a change to geoflow that moves the text
fails here, and the fault is planted anew. The copy comes first on the path of a fresh process; nothing else is touched.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from run_tests import NBVAL

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Fault:
    """`patches`: (file of geoflow, text, replacement). `unit`: tests that see it. `chapter`: one that sees it.

    `refused`: the words in which geoflow itself refuses what the fault brings about, where a chapter gets that far.
    """

    patches: tuple[tuple[str, str, str], ...]
    unit: tuple[str, ...]
    chapter: str | None
    refused: str | None = None


FAULTS = {
    "1/N lost in the adapted and the comparison field": Fault(
        (
            ("flows.py", "self.solver.solve(problem, state, problem.residual(state) / problem.N)",
             "self.solver.solve(problem, state, problem.residual(state))"),
            ("flows.py", "-(state - problem.data.targets) / problem.N", "-(state - problem.data.targets)"),
        ),
        (
            "test_flows.py::test_the_adapted_field_moves_the_outputs_straight_at_the_targets",
            "test_flows.py::test_the_comparison_field_and_its_solution",
        ),
        "foundations/setting",
        refused="every cost must be above zero",
    ),
    "wrong sign of the gradient": Fault(
        (
            ("problem.py", "_pullback(self, parameter_vector(theta, self.K), self.residual(theta) / self.N)",
             "_pullback(self, parameter_vector(theta, self.K), -self.residual(theta) / self.N)"),
        ),
        ("test_problem.py::test_the_cost_divides_by_twice_the_number_of_samples_only",),
        None,
    ),
    "weights transposed in the columns of D": Fault(
        (("networks/layered.py", 'jnp.einsum("jia,jb->jiab", B, A)', 'jnp.einsum("jia,jb->jiba", B, A)'),),
        ("test_problem.py::test_a_function_network_and_an_mlp_of_the_same_formula_agree",),
        None,
    ),
    "rows of D and of the kernel by outputs instead of samples": Fault(
        (
            ("networks/layered.py", 'jnp.einsum("jia,jb->jiab", B, A)', 'jnp.einsum("jia,jb->ijab", B, A)'),
            ("networks/layered.py", "blocks.append(B.reshape(QN, -1))", "blocks.append(B.swapaxes(0, 1).reshape(QN, -1))"),
            ("networks/layered.py", "return kernel.reshape(N * Q, N * Q)",
             "return kernel.transpose(1, 0, 3, 2).reshape(N * Q, N * Q)"),
        ),
        ("test_problem.py::test_rows_of_D_are_sample_major",),
        "flows/ntk",
    ),
    "refinement left out": Fault(
        (
            ("solvers/refinement.py", "_, z, w, last, now = jax.lax.while_loop(unfinished, refine, state)",
             "_, z, w, last, now = 0, z, state[2], size, 0.0 * size"),
        ),
        ("test_solvers.py::test_refinement_wins_back_the_digits_that_cholesky_lost",),
        None,
    ),
    "stopping time twice too long": Fault(
        (("closed_forms.py", "return N / 2 * math.log(cost0 / cost)", "return N * math.log(cost0 / cost)"),),
        ("test_flows.py::test_stopping_time_by_hand",),
        None,
    ),
    "P for P⊥: horizontal and vertical parts exchanged": Fault(
        (
            ("bundle.py", 'return parameter_vector(w, problem.K, "w") - vertical(problem, theta, w)',
             'return normal_part(problem.jacobian(theta).T, w)'),
            ("bundle.py", 'return normal_part(problem.jacobian(theta).T, parameter_vector(w, problem.K, "w"))',
             'return w - normal_part(problem.jacobian(theta).T, w)'),
        ),
        (
            "test_bundle.py::test_the_two_parts_of_a_vector",
            "test_bundle.py::test_the_gradient_of_the_bundle_metric",
        ),
        "flows/bundle",
    ),
    "√N lost in the trapping bound": Fault(
        (("trapping.py", "np.sqrt(self.samples / (2 * self.entry_cost))", "np.sqrt(1 / (2 * self.entry_cost))"),),
        (
            "test_trapping.py::test_the_bounds_where_they_are_nearly_attained",
            "test_trapping.py::test_a_stay_against_plain_numpy_and_the_bound_holds",
        ),
        None,
    ),
    "∇g_i for its negative": Fault(
        (
            ("equilibria.py", "np.asarray(hessian(problem, theta))[columns]\n",
             "-np.asarray(hessian(problem, theta))[columns]\n"),
        ),
        ("test_equilibria.py::test_the_frame_gradients_are_derivatives_of_g",),
        None,
    ),
    "uphill for the escape direction": Fault(
        (("equilibria.py", "n = point.directions[:, 0]", "n = point.directions[:, -1]"),),
        ("test_equilibria.py::test_a_kick_out_of_a_saddle_by_hand",),
        None,
    ),
    "cut-off of the pseudo-inverse removed": Fault(
        (("linear_algebra.py", "keep = sigma > rtol * sigma[0]", "keep = sigma > 0"),),
        (
            "test_equilibria.py::test_the_two_flows_agree_on_what_rests",
            "test_equilibria.py::test_the_minimizer_psi_is_not_unique_and_the_velocity_is",
        ),
        None,
    ),
    "P for P⊥ in the cost at a stationary point": Fault(
        (("linear_algebra.py", "return normal - U @ (U.T @ normal)", "return v - normal + U @ (U.T @ normal)"),),
        (
            "test_underparametrized.py::test_the_normal_part_and_what_it_costs",
            "test_underparametrized.py::test_at_a_stationary_point_it_is_the_cost",
        ),
        None,
    ),
    "the labels of two samples exchanged": Fault(
        (
            ("data.py", "return Dataset(means[labels] + offsets, one_hot(labels, Q), labels)",
             "exchanged = labels.at[0].set(labels[-1]).at[-1].set(labels[0])\n"
             "    return Dataset(means[labels] + offsets, one_hot(exchanged, Q), exchanged)"),
        ),
        ("test_data.py::test_clustered_data_lie_in_their_balls",),
        None,
    ),
    "plus for minus in the invariants C_k": Fault(
        (("linear_networks/conservation.py", "[after.T @ after - W @ W.T for W", "[after.T @ after + W @ W.T for W"),),
        (
            "test_linear_invariants.py::test_the_invariants_by_loops",
            "test_linear_invariants.py::test_they_stay_along_an_orbit",
            "test_linear_rates.py::test_the_rates_by_hand",
        ),
        None,
    ),
    "the largest eigenvalue of C_k for its d_{k+1}-th": Fault(
        (("linear_networks/rates.py", "(np.asarray(C))[-W.shape[0]]", "(np.asarray(C))[-1]"),),
        (
            "test_linear_rates.py::test_the_rates_by_hand",
            "test_linear_rates.py::test_the_differential_inequality_at_any_point",
            "test_linear_rates.py::test_no_admissible_start_is_slower_than_promised",
        ),
        None,
    ),
    "swaps of a kept mode for a larger one left out of the inertia": Fault(
        (("linear_networks/strata.py", "(d_y - r) * (d_1 - r) + int(overtaken)", "(d_y - r) * (d_1 - r)"),),
        (
            "test_linear_strata.py::test_the_inertia_of_every_stratum",
            "test_linear_strata.py::test_the_papers_own_table",
        ),
        None,
    ),
    "idle neurons that see the modes left out": Fault(
        (("linear_networks/critical_points.py", "np.setdiff1d(idle(d_in), lost) if k == 1", "idle(d_in) if k == 1"),),
        (
            "test_linear_critical_points.py::test_every_subset_and_every_vanish",
            "test_linear_critical_points.py::test_any_key_and_any_gauge",
        ),
        None,
    ),
    "the gradient descent dynamics on the clock of the standard flow": Fault(
        (
            ("linear_networks/dynamics.py", "EX = (A[0] @ Ws[0] @ problem.X - problem.Y) @ problem.X.T",
             "EX = (A[0] @ Ws[0] @ problem.X - problem.Y) @ problem.X.T / problem.N"),
        ),
        (
            "test_linear_dynamics.py::test_the_dynamics_go_down_the_loss",
            "test_linear_dynamics.py::test_the_clock_is_the_papers",
            "test_linear_modes.py::test_an_orbit_of_the_whole_network_is_saxes",
        ),
        None,
    ),
    "a cone flipped: points before the cut fall, those behind it stay": Fault(
        (("constructive/cones.py", "(np.maximum(x @ W.T + b, 0.0) - b)", "(np.minimum(x @ W.T + b, 0.0) - b)"),),
        (
            "test_constructive_truncation.py::test_the_map_by_its_definition",
            "test_constructive_truncation.py::test_a_cone_holds_every_point_and_truncates_it",
        ),
        None,
    ),
    "a base point moved along its cut: no cost shows it": Fault(
        (("constructive/zero_loss.py", "(1 - lam) * c.means[j] + lam * others[j]", "(1 - lam) * c.means[j] + lam * c.means[j - 1]"),),
        (
            "test_constructive_zero_loss.py::test_any_clusters_any_depth",
            "test_constructive_zero_loss.py::test_any_lam_in_its_range",
        ),
        None,
    ),
    "a wrong output layer, and no check of what comes out": Fault(
        (
            ("constructive/minima.py", "forget @ p[-1] + (1 / Q if blocks", "forget @ p[-1] + (0.0 if blocks"),
            ("constructive/minima.py", "if not miss <= TOLERANCE:", "if False:"),
        ),
        (
            "test_constructive_minima.py::test_every_proper_subset",
            "test_constructive_minima.py::test_merged_clusters",
            "test_constructive_minima.py::test_any_grouping_any_depth",
        ),
        None,
    ),
    "the affine fit of the kept clusters without its offset": Fault(
        (("constructive/minima.py", "B = y_mean - A @ x_mean", "B = y_mean"),),
        (
            "test_constructive_minima.py::test_the_affine_fit",
            "test_constructive_minima.py::test_every_proper_subset",
        ),
        None,
    ),
    "the second of two hidden layers too flat to saturate": Fault(
        (("constructive/zero_loss.py", "second = (-2 / least * np.eye(Q), np.ones(Q))", "second = (-0.5 / least * np.eye(Q), np.ones(Q))"),),
        ("test_constructive_zero_loss.py::test_two_hidden_layers",),
        None,
    ),
    "an orbit that crosses kinks passes for a classical flow": Fault(
        (("orbits/orbit.py", 'self.problem.smoothness.kind in ("analytic", "C1")', "True"),),
        (
            "test_ensemble.py::test_kinks_are_followed_and_every_orbit_says_so",
            "test_integration.py::test_relu_is_followed_and_the_orbit_says_so",
        ),
        None,
    ),
    "a linear solver's failure that nobody looks at": Fault(
        (("orbits/solve.py", "Carried(value, jnp.where(ok, 0.0, jnp.nan))", "Carried(value, jnp.zeros(()))"),),
        (
            "test_orbits_that_lie.py::test_a_linear_solver_that_gives_up_is_a_status",
            "test_orbits_that_lie.py::test_a_solver_that_gives_up_on_the_way_keeps_what_came_before",
        ),
        None,
    ),
    "rank loss seen at step ends only": Fault(
        (
            ("orbits/solve.py", " | (orientation(problem, state) * sign < 0)", ""),
            ("orbits/assembly.py", "status[ok & lost.any(axis=1)] = Status.rank_loss", "pass"),
            ("orbits/assembly.py", "good &= place <= first[:, None]", "pass"),
        ),
        ("test_orbits_that_lie.py::test_a_rank_loss_inside_a_step_is_found",),
        None,
    ),
    "step control that does not see the residual": Fault(
        (("orbits/control.py", "scaled = jnp.maximum(of_state, of_outputs)", "scaled = of_state"),),
        ("test_orbits_that_lie.py::test_the_adapted_flow_reaches_a_small_cost",),
        None,
    ),
    "arc length as the chord": Fault(
        (("diagnostics.py", "np.linalg.norm(np.diff(orbit.theta, axis=0), axis=1).sum()",
          "np.linalg.norm(orbit.theta[-1] - orbit.theta[0])"),),
        ("test_diagnostics.py::test_the_arc_length_of_a_bent_path_is_no_chord",),
        None,
    ),
    "the cost at a stationary point ignores its tolerance": Fault(
        (("diagnostics.py", "problem.residual(theta), rtol)", "problem.residual(theta), None)"),),
        ("test_orbits_that_lie.py::test_least_squares_on_years",),
        None,
    ),
    "an absolute cut-off": Fault(
        (("linear_algebra.py", "tolerance = rtol * sigma[0]", "tolerance = rtol"),),
        ("test_linear_algebra.py::test_tolerances_are_relative",),
        None,
    ),
    "a kink of a function that is not looked for": Fault(
        (("networks/network.py", 'return Smoothness("C1") if kink is None else Smoothness("kinked", kink)', 'return Smoothness("C1")'),),
        ("test_networks.py::test_what_relu_is_made_of_is_found_in_a_function",),
        None,
    ),
}  # fmt: skip


def plant(patches, folder: Path) -> Path:
    """A copy of geoflow in `folder` with every replacement made."""
    shutil.copytree(
        ROOT / "geoflow", folder / "geoflow", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name, text, replacement in patches:
        path = folder / "geoflow" / name
        source = path.read_text(encoding="utf8")
        assert source.count(text) == 1, (
            f"{name} holds {text!r} {source.count(text)} times: plant this fault anew"
        )
        path.write_text(source.replace(text, replacement), encoding="utf8")
    return folder


SETTINGS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # loading all that is installed takes longer than most tests here
    "HYPOTHESIS_PROFILE": "first-failure",
}


def options(folder: Path) -> list[str]:
    return [
        "-q", "--color=no", "-p", "no:cacheprovider", "-o", f"pythonpath={folder} tests/unit tests/chapters",
    ]  # fmt: skip


def pytest_with(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """pytest in a fresh process, `folder` before everything else on its path and on that of the kernels it starts."""
    path = os.pathsep.join((str(folder), str(ROOT)))  # companion is the one of the source tree
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options(folder), *arguments],
        cwd=ROOT,
        env=os.environ | SETTINGS | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def unit_tests(tmp_path_factory):
    """Runs unit tests on the geoflow of a folder, in a fork of a process that has imported all else (`zygote`)."""
    zygote = subprocess.Popen(
        [sys.executable, ROOT / "tests" / "faults" / "zygote.py"],
        cwd=ROOT,
        env=os.environ | SETTINGS | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    output = tmp_path_factory.mktemp("zygote") / "output"

    def run(folder: Path, names, plugin: str) -> subprocess.CompletedProcess:
        """All of them in one process: most of the time goes into starting one."""
        arguments = ["-p", f"tests.faults.{plugin}", *(f"tests/unit/{name}" for name in names)]
        wanted = {
            "path": str(folder),
            "arguments": [*options(folder), *arguments],
            "output": str(output),
        }
        print(json.dumps(wanted), file=zygote.stdin, flush=True)
        code = int(zygote.stdout.readline())
        return subprocess.CompletedProcess(
            arguments, code, stdout=output.read_text(encoding="utf8"), stderr=""
        )

    yield run
    zygote.stdin.close()
    assert zygote.wait(timeout=30) == 0


def assert_tests_failed(run: subprocess.CompletedProcess):
    """Exit code 1: tests ran, and some failed. (2 to 5: pytest itself was stopped, misused, or found nothing.)"""
    assert run.returncode == 1, (
        f"the fault went unseen (exit code {run.returncode})\n{run.stdout}\n{run.stderr}"
    )


def unseen_by(run: subprocess.CompletedProcess, names) -> list[str]:
    """The tests of which no case failed, by the summary at the end of the run."""
    # FAILED tests/unit/test_data.py::test_name[case] - message
    failed = [
        line.removeprefix("FAILED tests/unit/")
        for line in run.stdout.splitlines()
        if line.startswith("FAILED")
    ]
    return [
        name
        for name in names
        if not any(re.match(re.escape(name) + r"(\[| |$)", line) for line in failed)
    ]


def test_each_test_is_looked_for_in_the_summary():
    summary = "FAILED tests/unit/test_a.py::test_one[x y] - assert\nFAILED tests/unit/test_a.py::test_two_more\n"
    run = subprocess.CompletedProcess([], 1, stdout=summary)
    names = [
        f"test_a.py::{name}"
        for name in ("test_one", "test_one[x y]", "test_one[x]", "test_two", "test_two_more")
    ]
    assert unseen_by(run, names) == ["test_a.py::test_one[x]", "test_a.py::test_two"]


def test_without_a_fault_the_same_tests_pass(tmp_path, unit_tests):
    """Else the failures below would say nothing. Six of them, in the copy and the fork: `make test` has run all by now."""
    names = [fault.unit[0] for fault in FAULTS.values()][::6]
    assert len(names) > 4
    run = unit_tests(plant((), tmp_path), names, "two_examples")
    assert run.returncode == 0, run.stdout
    assert unseen_by(run, names) == names


#: `make test` plants every third; $FAULTS=all plants each, which takes some minutes more.
PLANTED = list(FAULTS) if os.environ.get("FAULTS") == "all" else list(FAULTS)[::3]


@pytest.mark.parametrize("name", PLANTED)
def test_unit_tests_see(name, tmp_path, unit_tests):
    fault = FAULTS[name]
    run = unit_tests(plant(fault.patches, tmp_path), fault.unit, "first_failure")
    assert_tests_failed(run)
    assert not unseen_by(run, fault.unit), run.stdout  # each of them


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.chapter])
def test_a_chapter_sees(name, tmp_path):
    fault = FAULTS[name]
    one_process = [option for option in NBVAL if not option.startswith("--dist")]
    notebook = f"book/{fault.chapter}.ipynb"
    run = pytest_with(
        plant(fault.patches, tmp_path), "-x", "-p", "nbval.plugin", *one_process, notebook
    )
    assert_tests_failed(run)
    # Not a stale stored output, an import error or a typo: a claim that does not hold, an orbit that went astray, or
    # what geoflow refuses to go on with.
    seen = [
        "ClaimFailed",
        "OrbitStopped",
        "NotANumber",
        *([fault.refused] if fault.refused else []),
    ]
    assert any(word in run.stdout for word in seen), run.stdout
