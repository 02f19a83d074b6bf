#define FLT_MOD "report"
#include "backtest/report_metrics.h"
#include "lib/attr.h"

#define RETURN "Return"
#define RISK "Risk"
#define RATIOS "Return for risk"
#define TRADES "Trades"
#define ACTIVITY "Exposure and costs"
#define SHAPE "The series"

const struct report_metric report_metrics[] = {
    { RETURN, "total_return", "Total return", "percent", "E[n] / E[0] - 1" },
    { RETURN, "cagr_clock", "CAGR", "percent",
      "(E[n] / E[0])^(1 / years) - 1, years by the clock, of 365.25 days" },
    { RETURN, "cagr_periods", "CAGR by bars", "percent", "(E[n] / E[0])^(P / n) - 1" },
    { RETURN, "adg", "Daily gain (ADG)", "percent",
      "(E[n] / E[0])^(1 / days) - 1, days by the clock" },
    { RETURN, "mean_return", "Mean return of a bar", "percent", "mean(r)" },
    { RETURN, "equity_first", "First equity", "money", "E[0], marked at the close of bar 0" },
    { RETURN, "equity_last", "Last equity", "money", "E[n], an open position at the last close" },

    { RISK, "max_drawdown", "Deepest drawdown", "percent",
      "min over t of E[t] / max(E[0..t]) - 1" },
    { RISK, "max_drawdown_abs", "Deepest drawdown, amount", "money",
      "max over t of max(E[0..t]) - E[t]; may be another episode" },
    { RISK, "avg_drawdown", "Mean drawdown", "percent", "mean over t of E[t] / max(E[0..t]) - 1" },
    { RISK, "ulcer_index", "Ulcer index", "percent", "sqrt(mean(dd^2)) over all n + 1 points" },
    { RISK, "mdd_duration_peak_to_trough_bars", "Peak to trough, bars", "count",
      "bars from the peak of the deepest drawdown to its trough" },
    { RISK, "mdd_duration_peak_to_recovery_bars", "Peak to recovery, bars", "count",
      "bars from that peak to the first equity at or above it; to the end if never" },
    { RISK, "longest_underwater_run_bars", "Longest time under water, bars", "count",
      "longest run of bars with E[t] < max(E[0..t])" },
    { RISK, "mdd_peak_index", "Peak at bar", "count", "last bar at the peak before the trough" },
    { RISK, "mdd_trough_index", "Trough at bar", "count", "first bar of the deepest drawdown" },
    { RISK, "mdd_recovery_index", "Recovered at bar", "count",
      "first bar at or above the peak; -1: not yet" },
    { RISK, "volatility_ann", "Volatility, a year", "percent", "std(r, ddof 1) * sqrt(P)" },
    { RISK, "downside_dev_ann", "Downside deviation, a year", "percent",
      "sqrt(mean(min(r, 0)^2)) * sqrt(P), over all n returns" },
    { RISK, "var_95_hist_linear", "Value at risk 95 %", "percent",
      "5th percentile of r, linear between samples" },
    { RISK, "expected_shortfall_95", "Expected shortfall 95 %", "percent",
      "mean of r at or below the value at risk 95 %" },
    { RISK, "var_99_hist_linear", "Value at risk 99 %", "percent",
      "1st percentile of r, linear between samples" },
    { RISK, "expected_shortfall_99", "Expected shortfall 99 %", "percent",
      "mean of r at or below the value at risk 99 %" },

    { RATIOS, "sharpe_ann_rf0", "Sharpe", "ratio",
      "mean(r) / std(r, ddof 1) * sqrt(P), risk-free rate 0" },
    { RATIOS, "sortino_ann_mar0", "Sortino", "ratio",
      "mean(r) / sqrt(mean(min(r, 0)^2)) * sqrt(P), over all n returns" },
    { RATIOS, "calmar_periods", "Calmar", "ratio", "CAGR by bars / |deepest drawdown|" },
    { RATIOS, "sterling", "Sterling", "ratio",
      "CAGR by bars / mean of the worst 1 % (at least one) of the days' deepest drawdowns" },
    { RATIOS, "omega_0", "Omega", "ratio", "sum(max(r, 0)) / sum(max(-r, 0))" },

    { TRADES, "n_trades_closed", "Closed trades", "count", "a position open at the end is none" },
    { TRADES, "n_wins", "Wins", "count", "trades with pnl_net > 0" },
    { TRADES, "n_losses", "Losses", "count", "trades with pnl_net <= 0" },
    { TRADES, "win_rate", "Win rate", "percent", "wins / closed trades" },
    { TRADES, "profit_factor", "Profit factor", "ratio", "gross profit / -gross loss" },
    { TRADES, "loss_profit_ratio", "Loss-profit ratio", "ratio", "-gross loss / gross profit" },
    { TRADES, "expectancy", "Expectancy", "money", "mean(pnl_net)" },
    { TRADES, "expectancy_return", "Expectancy, of the cost", "percent",
      "mean(pnl_net / (entry_price * qty))" },
    { TRADES, "payoff_ratio", "Payoff ratio", "ratio", "mean win / -mean loss" },
    { TRADES, "avg_win", "Mean win", "money", "mean(pnl_net) of the wins" },
    { TRADES, "avg_loss", "Mean loss", "money", "mean(pnl_net) of the losses" },
    { TRADES, "best_trade", "Best trade", "money", "max(pnl_net)" },
    { TRADES, "worst_trade", "Worst trade", "money", "min(pnl_net)" },
    { TRADES, "gross_profit", "Gross profit", "money", "sum of pnl_net of the wins" },
    { TRADES, "gross_loss", "Gross loss", "money", "sum of pnl_net of the losses" },
    { TRADES, "max_consecutive_losses", "Losses in a row", "count",
      "longest run of trades with pnl_net < 0" },
    { TRADES, "kelly_fraction", "Kelly fraction", "percent",
      "win rate - (1 - win rate) / payoff ratio" },
    { TRADES, "sqn", "System quality (SQN)", "ratio",
      "sqrt(trades) * mean(pnl_net) / std(pnl_net, ddof 1)" },
    { TRADES, "held_hours_mean", "Held, mean hours", "hours", "mean(exit time - entry time)" },
    { TRADES, "held_hours_median", "Held, median hours", "hours",
      "median(exit time - entry time)" },
    { TRADES, "held_hours_max", "Held, longest hours", "hours", "max(exit time - entry time)" },
    { TRADES, "positions_per_day", "Positions a day", "ratio",
      "positions opened / days of the run by the clock" },

    { ACTIVITY, "exposure_fraction", "Time in the market", "percent",
      "share of bars with a position after the bar's fills" },
    { ACTIVITY, "exposure_mean", "Mean exposure", "percent",
      "mean(|position| * close / E) over all points" },
    { ACTIVITY, "exposure_max", "Largest exposure", "percent", "max(|position| * close / E)" },
    { ACTIVITY, "turnover", "Turnover", "ratio", "sum(price * qty) over all fills / mean(E)" },
    { ACTIVITY, "total_fees", "Fees of closed trades", "money",
      "sum of the fees of the closed trades, in quote" },
    { ACTIVITY, "equity_balance_diff_neg_max", "Deepest open loss", "percent",
      "max of (balance - E) / balance where E is below the balance (cash + cost of the position, "
      "fees included)" },
    { ACTIVITY, "equity_balance_diff_neg_mean", "Mean open loss", "percent",
      "mean of (balance - E) / balance where E is below the balance" },
    { ACTIVITY, "equity_balance_diff_pos_max", "Largest open gain", "percent",
      "max of (E - balance) / balance where E is above the balance" },
    { ACTIVITY, "equity_balance_diff_pos_mean", "Mean open gain", "percent",
      "mean of (E - balance) / balance where E is above the balance" },

    { SHAPE, "n_points", "Points", "count", "n + 1: rows of equity.csv" },
    { SHAPE, "n_returns", "Returns", "count", "n" },
    { SHAPE, "periods_per_year", "Bars a year", "plain", "P: 365 days / the length of a bar" },
    { SHAPE, "years_clock", "Years", "plain", "(t[n] - t[0]) / 365.25 days" },
    { SHAPE, "std_return_ddof1", "Deviation of a bar's return", "percent", "std(r, ddof 1)" },
    { SHAPE, "std_return_ddof0", "The same, of the population", "percent", "std(r, ddof 0)" },
    { SHAPE, "skew_population", "Skewness", "ratio", "mean((r - mean)^3) / std(r, ddof 0)^3" },
    { SHAPE, "kurtosis_excess_population", "Excess kurtosis", "ratio",
      "mean((r - mean)^4) / std(r, ddof 0)^4 - 3" },
};
const size_t report_metric_count = FLT_COUNT(report_metrics);

const char *report_metric_text(struct json_object *summary, const char *name)
{
    struct json_object *metrics = flt_json_get(summary, "metrics");
    struct json_object *value = NULL;

    if (json_object_is_type(metrics, json_type_object))
        value = flt_json_get(metrics, name);
    if (!value)
        value = flt_json_get(summary, name);
    if (json_object_is_type(value, json_type_double) || json_object_is_type(value, json_type_int) ||
        json_object_is_type(value, json_type_string))
        return json_object_get_string(value);
    return NULL;
}
