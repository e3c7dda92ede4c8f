"""Clocks: the variable in which a flow is integrated, against the flow time s of the papers."""

import abc

import equinox as eqx
import numpy as np

from geoflow.types import Floats


class Clock(eqx.Module):
    """A change of variable s -> t, increasing, t(0) = 0."""

    @abc.abstractmethod
    def of(self, s: Floats, N: int) -> Floats:
        """t at flow times s."""

    @abc.abstractmethod
    def flow_time(self, t: Floats, N: int) -> Floats:
        """s at clock times t."""

    @abc.abstractmethod
    def require(self, until: float, N: int) -> None:
        """Raises ValueError when the clock can't tell the flow times up to `until` apart."""


class FlowTime(Clock):
    """t = s."""

    def of(self, s: Floats, N: int) -> Floats:
        return s

    def flow_time(self, t: Floats, N: int) -> Floats:
        return t

    def require(self, until: float, N: int) -> None:
        del until, N


class Tau(Clock):
    """t = tau = 1 − e^(−s/N), in which the comparison flow is a straight line at constant speed."""

    def of(self, s: Floats, N: int) -> Floats:
        return -np.expm1(-np.asarray(s) / N)

    def flow_time(self, t: Floats, N: int) -> Floats:
        return -N * np.log1p(-np.asarray(t))

    def require(self, until: float, N: int) -> None:
        if until > 30 * N:  # e^(−30) = 1e-13: beyond, tau is 1 to within a few roundings
            raise ValueError(
                f"the clock tau = 1 − e^(−s/N) resolves flow times up to 30 N = {30 * N}, where C = 1e-26·C_0, got until = {until:g}: "
                "integrate `adapted` in flow time instead."
            )
