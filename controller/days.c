#define FLT_MOD "days"
#include "controller/days.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/log.h"

#define WRITE_EVERY_MS 60000

struct flt_dec book_mark(const struct controller *controller, const struct book *book)
{
    const struct bot *bot = inventory_find_bot(&controller->inventory, book->bot);

    if (bot && strcmp(bot->spec.instrument, book->instrument) == 0 && bot_mark(bot).coef != 0)
        return bot_mark(bot);
    return book->price;
}

/* --- sums
 * ------------------------------------------------------------------------------------------- */

static void add_fees(struct day_sums *into, struct json_object *more, bool less)
{
    if (!more)
        return;
    if (!into->fees)
        into->fees = json_object_new_object();
    json_object_object_foreach(more, asset, value)
    {
        struct flt_amt sum = FLT_AMT_ZERO, fee = flt_amt_parse(json_object_get_string(value));
        char text[FLT_AMT_TEXT_MAX];

        (void)flt_json_amt(into->fees, asset, &sum);
        sum = less ? flt_amt_sub(sum, fee) : flt_amt_add(sum, fee);
        json_object_object_add(into->fees, asset,
                               json_object_new_string(flt_amt_format(sum, text)));
    }
}

void day_sums_add(struct day_sums *into, const struct day_sums *more)
{
    into->realised = flt_amt_add(into->realised, more->realised);
    into->unrealised = flt_amt_add(into->unrealised, more->unrealised);
    into->volume = flt_amt_add(into->volume, more->volume);
    into->fills += more->fills;
    add_fees(into, more->fees, false);
}

void day_sums_take(struct day_sums *from, const struct day_sums *less)
{
    from->realised = flt_amt_sub(from->realised, less->realised);
    from->unrealised = flt_amt_sub(from->unrealised, less->unrealised);
    from->volume = flt_amt_sub(from->volume, less->volume);
    from->fills -= less->fills;
    add_fees(from, less->fees, true);
}

void day_sums_finish(struct day_sums *sums)
{
    json_object_put(sums->fees);
    *sums = (struct day_sums){ 0 };
}

/* --- the table
 * -------------------------------------------------------------------------------------- */

static void write_day(struct controller *controller, const struct book *book, int64_t day)
{
    struct store *store = &controller->store;
    struct json_object *fees = book_fees_tree(book);
    sqlite3_stmt *stmt = store_write(
        store, "INSERT OR REPLACE INTO book_days (day, bot, venue, account, instrument, mode,"
               " quote, realised, unrealised, volume, fees, fills)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    flt_db_bind_int(stmt, 1, day);
    flt_db_bind_str(stmt, 2, book->bot);
    flt_db_bind_str(stmt, 3, book->venue);
    flt_db_bind_str(stmt, 4, book->account);
    flt_db_bind_str(stmt, 5, book->instrument);
    flt_db_bind_str(stmt, 6, msg_mode_name(book->mode));
    flt_db_bind_str(stmt, 7, book->quote);
    flt_db_bind_amt(stmt, 8, book_realised(book));
    flt_db_bind_amt(stmt, 9, book_unrealised(book, book_mark(controller, book)));
    flt_db_bind_amt(stmt, 10, book->volume);
    flt_db_bind_str(stmt, 11, json_object_to_json_string_ext(fees, JSON_C_TO_STRING_PLAIN));
    flt_db_bind_int(stmt, 12, book->fills);
    controller_check(controller, store_run(store, stmt));
    json_object_put(fees);
}

/* A book that holds nothing and has no new fill stands as it stood: no row is needed. */
static bool is_due(const struct book *book)
{
    return book->fills != book->day_fills || flt_amt_sign(book->position) != 0;
}

static void write_all(struct controller *controller, int64_t day)
{
    for (size_t i = 0; i < controller->books.count; i++) {
        struct book *book = controller->books.list[i];

        if (!is_due(book))
            continue;
        write_day(controller, book, day);
        book->day_fills = book->fills;
    }
}

void days_tick(struct controller *controller)
{
    const int64_t now = controller_now_ms(controller);
    const int64_t day = now / DAY_MS;

    if (controller->day == 0)
        controller->day = day;
    if (day > controller->day) {
        write_all(controller, controller->day);
        FLT_LOG(INFO, "day_ended", "books=%zu", controller->books.count);
    } else if (now - controller->day_written_ms < WRITE_EVERY_MS &&
               now >= controller->day_written_ms) {
        return;
    } else {
        write_all(controller, day);
    }
    controller->day = day;
    controller->day_written_ms = now;
}

void days_before(struct controller *controller, const struct book *book, int64_t day,
                 struct day_sums *out)
{
    struct store *store = &controller->store;
    sqlite3_stmt *stmt = store_read(
        store, "SELECT realised, unrealised, volume, fees, fills FROM book_days WHERE bot = ?"
               " AND venue = ? AND account = ? AND instrument = ? AND mode = ? AND day < ?"
               " ORDER BY day DESC LIMIT 1");

    *out = (struct day_sums){ 0 };
    flt_db_bind_str(stmt, 1, book->bot);
    flt_db_bind_str(stmt, 2, book->venue);
    flt_db_bind_str(stmt, 3, book->account);
    flt_db_bind_str(stmt, 4, book->instrument);
    flt_db_bind_str(stmt, 5, msg_mode_name(book->mode));
    flt_db_bind_int(stmt, 6, day);
    if (!store_next(store, stmt))
        return;
    out->realised = flt_db_amt(stmt, 0);
    out->unrealised = flt_db_amt(stmt, 1);
    out->volume = flt_db_amt(stmt, 2);
    out->fees = flt_json_parse(flt_db_str(stmt, 3), strlen(flt_db_str(stmt, 3)), NULL);
    out->fills = flt_db_int(stmt, 4);
    sqlite3_reset(stmt);
}
