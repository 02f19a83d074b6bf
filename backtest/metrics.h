/* Statistics of an equity curve and its trades; formulas in docs/backtest.md. Doubles; NaN where a
 * value is not defined (a ratio by zero, no trades). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/json.h"

struct metric_trade {       /* in quote, after fees */
    double pnl, cost, fees; /* cost: entry price * quantity */
    int64_t held_ms;
};

struct metrics_input {
    const double *equity; /* after each bar, the first at bar 0 */
    const double *held;   /* NULL, or |position| * close after each bar */
    size_t count;
    int64_t first_ms, last_ms, bar_ms;
    const struct metric_trade *trades;
    size_t trade_count;
    double volume;         /* quote traded, all fills */
    size_t positions;      /* how often a position was opened from flat */
    const double *balance; /* NULL, or cash + cost of the position after each bar */
};

struct metrics {
    double n_points, n_returns, periods_per_year, years_clock, equity_first, equity_last;
    double total_return, cagr_periods, cagr_clock, adg, mean_return, std_return_ddof1;
    double std_return_ddof0, volatility_ann, sharpe_ann_rf0, downside_dev_ann, sortino_ann_mar0;
    double max_drawdown, max_drawdown_abs, mdd_peak_index, mdd_trough_index, mdd_recovery_index;
    double mdd_duration_peak_to_recovery_bars, mdd_duration_peak_to_trough_bars;
    double longest_underwater_run_bars, calmar_periods, sterling, omega_0, var_95_hist_linear;
    double expected_shortfall_95, var_99_hist_linear, expected_shortfall_99, ulcer_index;
    double avg_drawdown, skew_population, kurtosis_excess_population, exposure_fraction;
    double n_trades_closed, n_wins, n_losses, win_rate, profit_factor, expectancy;
    double expectancy_return, avg_win, avg_loss, payoff_ratio, best_trade, worst_trade;
    double kelly_fraction, sqn, max_consecutive_losses, gross_profit, gross_loss;
    double loss_profit_ratio, total_fees, turnover, positions_per_day, held_hours_mean;
    double held_hours_median, held_hours_max, exposure_mean, exposure_max;
    double equity_balance_diff_neg_max, equity_balance_diff_neg_mean;
    double equity_balance_diff_pos_max, equity_balance_diff_pos_mean;
};

FLT_MUST_USE int metrics_make(const struct metrics_input *input, struct metrics *out); /* -ENOMEM */
void metrics_write(const struct metrics *metrics, struct flt_buf *buf, const char *key);
