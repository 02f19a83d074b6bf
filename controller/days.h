/* Days (UTC) of the books: each book's sums as they stood when a day ended, in the table book_days.
 *
 * A day's profit is the difference of two of them. The running day's row is written once a minute
 * and when the day ends, so that a restart loses at most a minute of unrealised profit; realised
 * profit, fees and volume come from fills and are whole at the next write. */
#pragma once
#include "controller/controller.h"

#define DAY_MS INT64_C(86400000)

/* Sums of one book, or of several added up. */
struct day_sums {
    struct flt_amt realised, unrealised, volume;
    struct json_object *fees; /* {"USDT":"1.5"}; NULL: none */
    int64_t fills;
};

void days_tick(struct controller *controller); /* each second */
/* The sums of `book` at the end of the newest day before `day`; zeroes when there is none. */
void days_before(struct controller *controller, const struct book *book, int64_t day,
                 struct day_sums *out);
void day_sums_add(struct day_sums *into, const struct day_sums *more);
void day_sums_take(struct day_sums *from, const struct day_sums *less); /* from -= less */
void day_sums_finish(struct day_sums *sums);
/* The best mark price for a book: its bot's word, else its last fill. */
struct flt_dec book_mark(const struct controller *controller, const struct book *book);
