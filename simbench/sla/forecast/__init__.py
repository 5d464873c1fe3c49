"""The probability of a breach in the coming months, with its uncertainty."""

from simbench.sla.forecast.backtest import BackTest, back_test
from simbench.sla.forecast.forecast import Forecast, ForecastDate, forecast, month_ends
from simbench.sla.forecast.laws import read_laws

__all__ = ["BackTest", "Forecast", "ForecastDate", "back_test", "forecast", "month_ends", "read_laws"]
