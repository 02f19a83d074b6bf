#include "lib/clock.h"
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

static int64_t read_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t system_wall_ms(const struct flt_clock *clock)
{
    (void)clock;
    return read_ns(CLOCK_REALTIME) / 1000000;
}

static int64_t system_mono_ns(const struct flt_clock *clock)
{
    (void)clock;
    return read_ns(CLOCK_MONOTONIC);
}

static int64_t system_boot_ns(const struct flt_clock *clock)
{
    (void)clock;
    return read_ns(CLOCK_BOOTTIME);
}

const struct flt_clock *flt_clock_system(void)
{
    static const struct flt_clock clock = { system_wall_ms, system_mono_ns, system_boot_ns };

    return &clock;
}

/* The clock is the first member, so its address is the simulated clock's. */
static const struct flt_sim_clock *sim_of(const struct flt_clock *clock)
{
    return (const struct flt_sim_clock *)(const void *)clock;
}

static int64_t sim_wall_ms(const struct flt_clock *clock)
{
    return sim_of(clock)->wall_now_ms;
}

static int64_t sim_mono_ns(const struct flt_clock *clock)
{
    return sim_of(clock)->mono_now_ns;
}

void flt_sim_clock_init(struct flt_sim_clock *sim, int64_t wall_now_ms)
{
    sim->base = (struct flt_clock){ sim_wall_ms, sim_mono_ns, sim_mono_ns };
    sim->wall_now_ms = wall_now_ms;
    sim->mono_now_ns = 1000000000; /* not 0, so that "never" and "at the start" differ */
}

void flt_sim_clock_advance(struct flt_sim_clock *sim, int64_t ms)
{
    sim->wall_now_ms += ms;
    sim->mono_now_ns += ms * 1000000;
}

struct civil {
    int64_t year;
    unsigned month, day;
};

/* Days since 1970-01-01 to a date and back, proleptic Gregorian:
 * howardhinnant.github.io/date_algorithms */
static struct civil civil_from_days(int64_t days)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const unsigned doe = (unsigned)(days - era * 146097);
    const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const unsigned mp = (5 * doy + 2) / 153;
    const unsigned month = mp < 10 ? mp + 3 : mp - 9;

    return (struct civil){ (int64_t)yoe + era * 400 + (month <= 2), month,
                           doy - (153 * mp + 2) / 5 + 1 };
}

static int64_t days_from_civil(struct civil date)
{
    const int64_t year = date.year - (date.month <= 2);
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const unsigned yoe = (unsigned)(year - era * 400);
    const unsigned mp = date.month > 2 ? date.month - 3 : date.month + 9;
    const unsigned doy = (153 * mp + 2) / 5 + date.day - 1;
    const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + (int64_t)doe - 719468;
}

static char *put(char *out, int64_t value, int width, char after)
{
    for (int i = width - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    out[width] = after;
    return out + width + 1;
}

char *flt_iso_format(int64_t ts_ms, char *out)
{
    static const int64_t year_1 = INT64_C(-62135596800000), year_10000 = INT64_C(253402300800000);
    const int64_t ts = ts_ms < year_1 ? year_1 : ts_ms >= year_10000 ? year_10000 - 1 : ts_ms;
    const int64_t days = (ts >= 0 ? ts : ts - (DAY_MS - 1)) / DAY_MS;
    const int64_t ms = ts - days * DAY_MS;
    const struct civil date = civil_from_days(days);
    char *p = out;

    p = put(p, date.year, 4, '-');
    p = put(p, date.month, 2, '-');
    p = put(p, date.day, 2, 'T');
    p = put(p, ms / 3600000, 2, ':');
    p = put(p, ms / 60000 % 60, 2, ':');
    p = put(p, ms / 1000 % 60, 2, '.');
    p = put(p, ms % 1000, 3, 'Z');
    *p = '\0';
    return out;
}

/* Exactly `width` digits, then `after` (not checked when NUL). */
static bool take(const char **p, int width, char after, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < width; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        *out = *out * 10 + (unsigned)(**p - '0');
    }
    if (after != '\0' && *(*p)++ != after)
        return false;
    return true;
}

static bool date_ok(unsigned year, unsigned month, unsigned day)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (unsigned)(month == 2 && leap);
}

static int64_t parse_digits(const char *text)
{
    int64_t value = 0;

    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || value > INT64_MAX / 10 - 1)
            return -1;
        value = value * 10 + (*p - '0');
    }
    return value;
}

int64_t flt_iso_parse(const char *text)
{
    unsigned year, month, day, hour = 0, minute = 0, second = 0, ms = 0;
    const char *p = text;

    if (!text || !*text)
        return -1;
    if (!memchr(text, '-', strnlen(text, 5)))
        return parse_digits(text);
    if (!take(&p, 4, '-', &year) || !take(&p, 2, '-', &month) || !take(&p, 2, '\0', &day) ||
        !date_ok(year, month, day))
        return -1;
    if (*p == 'T') {
        p++;
        if (!take(&p, 2, ':', &hour) || !take(&p, 2, ':', &minute) || !take(&p, 2, '\0', &second))
            return -1;
        if (*p == '.' && (p++, !take(&p, 3, '\0', &ms)))
            return -1;
        if (*p++ != 'Z' || hour > 23 || minute > 59 || second > 59)
            return -1;
    }
    if (*p != '\0')
        return -1;
    return days_from_civil((struct civil){ year, month, day }) * DAY_MS +
           (((int64_t)hour * 60 + minute) * 60 + second) * 1000 + ms;
}
