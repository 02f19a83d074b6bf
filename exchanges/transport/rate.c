#include "exchanges/transport/rate.h"
#include <string.h>

/* The share of a limit that a request of each priority may use up, in percent. */
static const uint32_t share_pct[PRIORITY_COUNT] = { [PRIORITY_CANCEL] = 100,
                                                    [PRIORITY_CLOSE] = 95,
                                                    [PRIORITY_RECOVER] = 90,
                                                    [PRIORITY_ENTRY] = 85,
                                                    [PRIORITY_DATA] = 60 };

void rate_init(struct rate *rate, const struct rate_limit *limits, size_t count, bool per_account,
               const uint32_t units[RATE_LIMITS_MAX])
{
    *rate = (struct rate){ .units = units };
    for (size_t i = 0; i < count; i++)
        if (limits[i].per_account == per_account)
            rate->windows[rate->count++] = (struct rate_window){ .limit = &limits[i], .index = i };
}

static int64_t slot_ms(const struct rate_window *window)
{
    return window->limit->interval_ms / (RATE_SLOTS - 1); /* one more, for the slot under way */
}

static void advance(struct rate_window *window, int64_t now_ms)
{
    const int64_t slot = now_ms / slot_ms(window);

    if (slot - window->slot >= RATE_SLOTS) {
        memset(window->used, 0, sizeof window->used);
        window->sum = 0;
    } else {
        for (int64_t s = window->slot + 1; s <= slot; s++) {
            window->sum -= window->used[s % RATE_SLOTS];
            window->used[s % RATE_SLOTS] = 0;
        }
    }
    if (slot > window->slot)
        window->slot = slot;
}

/* When enough of the oldest slots will have left the window. */
static int64_t window_wait_ms(struct rate_window *window, uint32_t all, uint32_t units,
                              enum op_priority priority, int64_t now_ms)
{
    const uint32_t limit = (uint32_t)((uint64_t)all * share_pct[priority] / 100);

    if (units == 0)
        return 0;
    advance(window, now_ms);
    if (window->sum + units <= limit)
        return 0;
    uint32_t sum = window->sum;

    for (int64_t s = window->slot + 1; s <= window->slot + RATE_SLOTS; s++) {
        sum -= window->used[s % RATE_SLOTS];
        if (sum + units <= limit)
            return s * slot_ms(window) - now_ms;
    }
    return window->limit->interval_ms;
}

int64_t rate_wait_ms(struct rate *rate, const struct op_cost *cost, enum op_priority priority,
                     int64_t now_ms)
{
    int64_t wait_ms = rate->held_until_ms > now_ms ? rate->held_until_ms - now_ms : 0;

    for (size_t i = 0; i < rate->count; i++) {
        struct rate_window *window = &rate->windows[i];
        const int64_t more_ms = window_wait_ms(window, rate->units[window->index],
                                               cost->units[window->index], priority, now_ms);

        if (more_ms > wait_ms)
            wait_ms = more_ms;
    }
    return wait_ms;
}

static void add(struct rate_window *window, uint32_t units)
{
    window->used[window->slot % RATE_SLOTS] += units;
    window->sum += units;
}

void rate_take(struct rate *rate, const struct op_cost *cost, int64_t now_ms)
{
    for (size_t i = 0; i < rate->count; i++) {
        advance(&rate->windows[i], now_ms);
        add(&rate->windows[i], cost->units[rate->windows[i].index]);
    }
}

void rate_sync(struct rate *rate, size_t index, uint32_t used, int64_t now_ms)
{
    for (size_t i = 0; i < rate->count; i++) {
        struct rate_window *window = &rate->windows[i];

        if (window->index != index)
            continue;
        advance(window, now_ms);
        if (used > window->sum && used / 2 <= rate->units[index])
            add(window, used - window->sum);
    }
}

void rate_hold(struct rate *rate, int64_t until_ms)
{
    if (until_ms > rate->held_until_ms)
        rate->held_until_ms = until_ms;
}
