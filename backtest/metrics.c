/* Each function fills one group of struct metrics; names and definitions as in docs/metrics.md. */
#define FLT_MOD "metrics"
#include "backtest/metrics.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE 1024
#define NOISE 1e-12 /* a double of an amount is not closer: E and balance that are equal */
#define DAY_MS INT64_C(86400000)
#define YEAR_MS (365.25 * 86400000)

static double ratio(double a, double b)
{
    return b != 0 && isfinite(b) ? a / b : (double)NAN;
}

/* --- returns
 * ----------------------------------------------------------------------------------------- */

struct moments {
    double mean, m2, m3, m4; /* central, ddof 0 */
    double down2;            /* mean of min(r, 0)^2 */
    double gains, losses;    /* sums, both positive */
};

static struct moments moments_of(const double *r, size_t n)
{
    struct moments m = { 0 };

    for (size_t i = 0; i < n; i++) {
        const double gain = r[i] > 0 ? r[i] : 0, loss = r[i] < 0 ? r[i] : 0;

        m.mean += r[i];
        m.gains += gain;
        m.losses -= loss;
        m.down2 += loss * loss;
    }
    m.mean /= (double)n;
    m.down2 /= (double)n;
    for (size_t i = 0; i < n; i++) {
        const double d = r[i] - m.mean, d2 = d * d;

        m.m2 += d2;
        m.m3 += d2 * d;
        m.m4 += d2 * d2;
    }
    m.m2 /= (double)n;
    m.m3 /= (double)n;
    m.m4 /= (double)n;
    return m;
}

static void returns(const double *r, size_t n, struct metrics *out)
{
    const struct moments m = moments_of(r, n);
    const double year = sqrt(out->periods_per_year);

    out->mean_return = m.mean;
    out->std_return_ddof0 = sqrt(m.m2);
    out->std_return_ddof1 = n > 1 ? sqrt(m.m2 * (double)n / (double)(n - 1)) : (double)NAN;
    out->volatility_ann = out->std_return_ddof1 * year;
    out->sharpe_ann_rf0 = ratio(m.mean, out->std_return_ddof1) * year;
    out->downside_dev_ann = sqrt(m.down2) * year;
    out->sortino_ann_mar0 = ratio(m.mean, sqrt(m.down2)) * year;
    out->omega_0 = ratio(m.gains, m.losses);
    out->skew_population = ratio(m.m3, m.m2 * sqrt(m.m2));
    out->kurtosis_excess_population = ratio(m.m4, m.m2 * m.m2) - 3;
}

/* Puts the k-th smallest in its place, smaller ones before it, larger ones behind. */
static double select_at(double *v, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;

    while (low < high) {
        const double pivot = v[low + (high - low) / 2];
        size_t i = low, j = high;

        for (;;) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i >= j)
                break;
            const double swap = v[i];
            v[i++] = v[j];
            v[j--] = swap;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return v[k];
}

/* Percentile with linear interpolation (numpy's default), and the mean of what is at or below it.
 * `v` is left with its k + 2 smallest in front, k = share * (n - 1); `among` of them are known to
 * hold those. */
static size_t tail(double *v, size_t n, size_t among, double share, double *var, double *shortfall)
{
    const double at = share * (double)(n - 1);
    const size_t k = (size_t)at;
    const double high = select_at(v, among, k + 1 < among ? k + 1 : k);
    double low = high, sum = 0;
    size_t count = 0;

    if (k + 1 < among)
        low = select_at(v, k + 1, k);
    *var = low + (high - low) * (at - (double)k);
    for (size_t i = 0; i < among && (i <= k || v[i] <= *var); i++)
        if (v[i] <= *var) {
            sum += v[i];
            count++;
        }
    *shortfall = count ? sum / (double)count : (double)NAN;
    return k + 2 < among ? k + 2 : among;
}

static int rising(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

/* Copies the lower returns of a long series, those below about the eighth percentile by a sample;
 * all of them when that leaves too few. Returns how many. */
static size_t copy_lower(const double *r, size_t n, double *out)
{
    double sample[SAMPLE];
    size_t count = 0;

    if (n >= SAMPLE * 16) {
        for (size_t i = 0; i < SAMPLE; i++)
            sample[i] = r[i * (n / SAMPLE)];
        qsort(sample, SAMPLE, sizeof sample[0], rising);
        for (size_t i = 0; i < n; i++) { /* without a branch: each is written, few are kept */
            out[count] = r[i];
            count += r[i] < sample[SAMPLE * 8 / 100];
        }
    }
    if (count > n / 20 + 2)
        return count;
    memcpy(out, r, n * sizeof *out);
    return n;
}

static int tails(const double *r, size_t n, struct metrics *out)
{
    double *sorted = malloc((n + 1) * sizeof *sorted);

    if (!sorted)
        return -ENOMEM;
    if (n == 0) {
        out->var_95_hist_linear = out->expected_shortfall_95 = (double)NAN;
        out->var_99_hist_linear = out->expected_shortfall_99 = (double)NAN;
        free(sorted);
        return 0;
    }
    size_t among = copy_lower(r, n, sorted);
    among = tail(sorted, n, among, 0.05, &out->var_95_hist_linear, &out->expected_shortfall_95);
    (void)tail(sorted, n, among, 0.01, &out->var_99_hist_linear, &out->expected_shortfall_99);
    free(sorted);
    return 0;
}

/* --- drawdown
 * ---------------------------------------------------------------------------------------- */

static void durations(const double *e, size_t count, size_t trough, struct metrics *out)
{
    size_t peak = 0, recovery = count;
    double high = e[0];

    for (size_t i = 1; i <= trough; i++)
        if (e[i] >= high) {
            high = e[i];
            peak = i;
        }
    for (size_t i = trough; i < count; i++)
        if (e[i] >= high) {
            recovery = i;
            break;
        }
    out->mdd_peak_index = (double)peak;
    out->mdd_trough_index = (double)trough;
    out->mdd_recovery_index = recovery < count ? (double)recovery : -1;
    out->mdd_duration_peak_to_recovery_bars =
        (double)((recovery < count ? recovery : count - 1) - peak);
    out->mdd_duration_peak_to_trough_bars = (double)(trough - peak);
}

static void drawdown(const double *e, size_t count, struct metrics *out)
{
    double high = e[0], part = 1 / e[0], worst = 0, worst_abs = 0, sum = 0, squares = 0;
    size_t trough = 0, under = 0, longest = 0;

    for (size_t i = 0; i < count; i++) {
        if (e[i] > high) {
            high = e[i];
            part = 1 / high;
        }
        const double dd = (e[i] - high) * part;

        under = e[i] < high ? under + 1 : 0;
        longest = under > longest ? under : longest;
        worst_abs = high - e[i] > worst_abs ? high - e[i] : worst_abs;
        if (dd < worst) {
            worst = dd;
            trough = i;
        }
        sum += dd;
        squares += dd * dd;
    }
    out->max_drawdown = worst;
    out->max_drawdown_abs = worst_abs;
    out->longest_underwater_run_bars = (double)longest;
    out->avg_drawdown = sum / (double)count;
    out->ulcer_index = sqrt(squares / (double)count);
    out->calmar_periods = ratio(out->cagr_periods, -worst);
    durations(e, count, trough, out);
}

static int falling(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return left < right ? 1 : left > right ? -1 : 0;
}

/* Compound annual return over the mean of the worst hundredth (at least one) of the days' deepest
 * drawdowns. Days are spans of 24 h from the first bar. */
static int sterling(const struct metrics_input *in, struct metrics *out)
{
    const size_t bars_a_day = in->bar_ms < DAY_MS ? (size_t)(DAY_MS / in->bar_ms) : 1;
    const size_t days = (in->count + bars_a_day - 1) / bars_a_day;
    double *worst = calloc(days, sizeof *worst), high = in->equity[0], part = 1 / high, sum = 0;
    const size_t few = days / 100 > 0 ? days / 100 : 1;

    if (!worst)
        return -ENOMEM;
    for (size_t day = 0; day < days; day++)
        for (size_t i = day * bars_a_day; i < (day + 1) * bars_a_day && i < in->count; i++) {
            if (in->equity[i] > high) {
                high = in->equity[i];
                part = 1 / high;
            }
            const double dd = (high - in->equity[i]) * part;
            worst[day] = dd > worst[day] ? dd : worst[day];
        }
    qsort(worst, days, sizeof *worst, falling);
    for (size_t i = 0; i < few; i++)
        sum += worst[i];
    out->sterling = ratio(out->cagr_periods, sum / (double)few);
    free(worst);
    return 0;
}

/* --- growth
 * ------------------------------------------------------------------------------------------ */

static void growth(const struct metrics_input *in, struct metrics *out)
{
    const double n = (double)(in->count - 1),
                 gain = ratio(in->equity[in->count - 1], in->equity[0]);
    const double days = (double)(in->last_ms - in->first_ms) / (double)DAY_MS;

    out->n_points = (double)in->count;
    out->n_returns = n;
    out->periods_per_year = 365.0 * (double)DAY_MS / (double)in->bar_ms;
    out->years_clock = (double)(in->last_ms - in->first_ms) / YEAR_MS;
    out->equity_first = in->equity[0];
    out->equity_last = in->equity[in->count - 1];
    out->total_return = gain - 1;
    out->cagr_periods = n > 0 && gain >= 0 ? pow(gain, out->periods_per_year / n) - 1 : (double)NAN;
    out->cagr_clock =
        out->years_clock > 0 && gain >= 0 ? pow(gain, 1 / out->years_clock) - 1 : (double)NAN;
    out->adg = days > 0 && gain >= 0 ? pow(gain, 1 / days) - 1 : (double)NAN;
    out->positions_per_day = ratio((double)in->positions, days);
}

/* --- trades
 * ------------------------------------------------------------------------------------------ */

struct sums {
    double pnl, fees, squares, wins, losses, returns, best, worst;
    size_t win_count, loss_count, run, longest;
};

static struct sums sum_trades(const struct metrics_input *in)
{
    struct sums s = { .best = (double)-INFINITY, .worst = (double)INFINITY };

    for (size_t i = 0; i < in->trade_count; i++) {
        const double pnl = in->trades[i].pnl;

        s.pnl += pnl;
        s.fees += in->trades[i].fees;
        s.wins += pnl > 0 ? pnl : 0;
        s.losses += pnl < 0 ? pnl : 0;
        s.win_count += pnl > 0;
        s.loss_count += !(pnl > 0);
        s.returns += ratio(pnl, in->trades[i].cost);
        s.best = pnl > s.best ? pnl : s.best;
        s.worst = pnl < s.worst ? pnl : s.worst;
        s.run = pnl < 0 ? s.run + 1 : 0;
        s.longest = s.run > s.longest ? s.run : s.longest;
    }
    for (size_t i = 0; i < in->trade_count; i++) {
        const double d = in->trades[i].pnl - s.pnl / (double)in->trade_count;

        s.squares += d * d;
    }
    return s;
}

static void trade_figures(const struct metrics_input *in, struct metrics *out)
{
    const double n = (double)in->trade_count;
    const struct sums s = sum_trades(in);

    out->n_trades_closed = n;
    out->n_wins = (double)s.win_count;
    out->n_losses = (double)s.loss_count;
    out->gross_profit = s.wins;
    out->gross_loss = s.losses;
    out->total_fees = s.fees;
    out->max_consecutive_losses = (double)s.longest;
    out->win_rate = ratio(out->n_wins, n);
    out->profit_factor = ratio(s.wins, -s.losses);
    out->loss_profit_ratio = ratio(-s.losses, s.wins);
    out->expectancy = ratio(s.pnl, n);
    out->expectancy_return = ratio(s.returns, n);
    out->avg_win = ratio(s.wins, out->n_wins);
    out->avg_loss = ratio(s.losses, out->n_losses);
    out->payoff_ratio = ratio(out->avg_win, -out->avg_loss);
    out->best_trade = n > 0 ? s.best : (double)NAN;
    out->worst_trade = n > 0 ? s.worst : (double)NAN;
    out->kelly_fraction = out->win_rate - (1 - out->win_rate) / out->payoff_ratio;
    out->sqn = n > 1 ? sqrt(n) * ratio(out->expectancy, sqrt(s.squares / (n - 1))) : (double)NAN;
}

static int holding(const struct metrics_input *in, struct metrics *out)
{
    const size_t n = in->trade_count;
    double *hours, sum = 0, most = 0;

    out->held_hours_mean = out->held_hours_median = out->held_hours_max = (double)NAN;
    if (n == 0)
        return 0;
    hours = malloc(n * sizeof *hours);
    if (!hours)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        hours[i] = (double)in->trades[i].held_ms / 3600000;
        sum += hours[i];
        most = hours[i] > most ? hours[i] : most;
    }
    out->held_hours_mean = sum / (double)n;
    out->held_hours_max = most;
    const double upper = select_at(hours, n, n / 2);
    out->held_hours_median = n % 2 ? upper : (upper + select_at(hours, n, n / 2 - 1)) / 2;
    free(hours);
    return 0;
}

/* --- positions
 * --------------------------------------------------------------------------------------- */

static void exposure(const struct metrics_input *in, struct metrics *out)
{
    double sum = 0, most = 0, equity = 0;
    size_t held = 0;

    for (size_t i = 0; i < in->count; i++) {
        equity += in->equity[i];
        if (!in->held || in->held[i] == 0)
            continue; /* in runs, so the branch costs less than the division */
        const double share = in->held[i] / in->equity[i];

        held++;
        sum += share;
        most = share > most ? share : most;
    }
    out->exposure_fraction = (double)held / (double)in->count;
    out->exposure_mean = sum / (double)in->count;
    out->exposure_max = most;
    out->turnover = ratio(in->volume, equity / (double)in->count);
}

static void balance_gap(const struct metrics_input *in, struct metrics *out)
{
    double above = 0, below = 0, above_max = 0, below_max = 0;
    size_t above_count = 0, below_count = 0;

    for (size_t i = 0; in->balance && i < in->count; i++) {
        if (in->equity[i] == in->balance[i])
            continue; /* flat */
        const double gap = (in->equity[i] - in->balance[i]) / in->balance[i];

        if (gap > NOISE) {
            above += gap;
            above_count++;
            above_max = gap > above_max ? gap : above_max;
        } else if (gap < -NOISE) {
            below -= gap;
            below_count++;
            below_max = -gap > below_max ? -gap : below_max;
        }
    }
    out->equity_balance_diff_pos_max = above_max;
    out->equity_balance_diff_neg_max = below_max;
    out->equity_balance_diff_pos_mean = above_count ? above / (double)above_count : 0;
    out->equity_balance_diff_neg_mean = below_count ? below / (double)below_count : 0;
}

int metrics_make(const struct metrics_input *in, struct metrics *out)
{
    const size_t n = in->count > 0 ? in->count - 1 : 0;
    double *r = malloc((n + 1) * sizeof *r);
    int err = 0;

    memset(out, 0, sizeof *out);
    if (!r)
        return -ENOMEM;
    if (in->count > 0) { /* of one point, what is made of returns is not defined */
        for (size_t i = 0; i < n; i++)
            r[i] = in->equity[i + 1] / in->equity[i] - 1;
        growth(in, out);
        returns(r, n, out);
        err = tails(r, n, out);
        drawdown(in->equity, in->count, out);
        exposure(in, out);
        balance_gap(in, out);
        if (!err)
            err = sterling(in, out);
    }
    trade_figures(in, out);
    if (!err)
        err = holding(in, out);
    free(r);
    return err;
}

/* --- out
 * --------------------------------------------------------------------------------------------- */

#define ROW(name)                                                                                  \
    {                                                                                              \
#name, offsetof(struct metrics, name)                                                      \
    }
static const struct {
    const char *name;
    size_t offset;
} rows[] = {
    ROW(n_points),
    ROW(n_returns),
    ROW(periods_per_year),
    ROW(years_clock),
    ROW(equity_first),
    ROW(equity_last),
    ROW(total_return),
    ROW(cagr_periods),
    ROW(cagr_clock),
    ROW(adg),
    ROW(mean_return),
    ROW(std_return_ddof1),
    ROW(std_return_ddof0),
    ROW(volatility_ann),
    ROW(sharpe_ann_rf0),
    ROW(downside_dev_ann),
    ROW(sortino_ann_mar0),
    ROW(max_drawdown),
    ROW(max_drawdown_abs),
    ROW(mdd_peak_index),
    ROW(mdd_trough_index),
    ROW(mdd_recovery_index),
    ROW(mdd_duration_peak_to_recovery_bars),
    ROW(mdd_duration_peak_to_trough_bars),
    ROW(longest_underwater_run_bars),
    ROW(calmar_periods),
    ROW(sterling),
    ROW(omega_0),
    ROW(var_95_hist_linear),
    ROW(expected_shortfall_95),
    ROW(var_99_hist_linear),
    ROW(expected_shortfall_99),
    ROW(ulcer_index),
    ROW(avg_drawdown),
    ROW(skew_population),
    ROW(kurtosis_excess_population),
    ROW(exposure_fraction),
    ROW(n_trades_closed),
    ROW(n_wins),
    ROW(n_losses),
    ROW(win_rate),
    ROW(profit_factor),
    ROW(expectancy),
    ROW(expectancy_return),
    ROW(avg_win),
    ROW(avg_loss),
    ROW(payoff_ratio),
    ROW(best_trade),
    ROW(worst_trade),
    ROW(kelly_fraction),
    ROW(sqn),
    ROW(max_consecutive_losses),
    ROW(gross_profit),
    ROW(gross_loss),
    ROW(loss_profit_ratio),
    ROW(total_fees),
    ROW(turnover),
    ROW(positions_per_day),
    ROW(held_hours_mean),
    ROW(held_hours_median),
    ROW(held_hours_max),
    ROW(exposure_mean),
    ROW(exposure_max),
    ROW(equity_balance_diff_neg_max),
    ROW(equity_balance_diff_neg_mean),
    ROW(equity_balance_diff_pos_max),
    ROW(equity_balance_diff_pos_mean),
};

void metrics_write(const struct metrics *metrics, struct flt_buf *buf, const char *key)
{
    flt_jw_begin(buf, key, '{');
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        double value;

        memcpy(&value, (const char *)metrics + rows[i].offset, sizeof value);
        if (isfinite(value))
            flt_jw_double(buf, rows[i].name, value);
        else
            flt_jw_null(buf, rows[i].name);
    }
    flt_jw_end(buf, '}');
}
