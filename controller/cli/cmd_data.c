/* flotilla data: what is stored, import, export, checks and longer candles. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backtest/import.h"
#include "backtest/resample.h"
#include "controller/cli/commands.h"
#include "controller/cli/progress.h"
#include "lib/clock.h"

#define GAPS_SHOWN 10
#define CHANGES_SHOWN 50

static void add_str(struct json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static void add_int(struct json_object *object, const char *key, int64_t value)
{
    json_object_object_add(object, key, json_object_new_int64(value));
}

static int parse_store(struct cli *cli, size_t index, struct store_id *id, char *path, size_t size)
{
    const int err = store_id_parse(id, cli_arg(cli, index), true, &cli->error);

    return err ? err : store_path(cli->dir, id, path, size, &cli->error);
}

static int open_store(struct cli *cli, size_t index, struct store *store)
{
    char path[STORE_PATH_MAX];
    struct store_id id;
    const int err = parse_store(cli, index, &id, path, sizeof path);

    return err ? err : store_open(path, store, &cli->error);
}

static void store_name(const struct store *store, char *out, size_t size)
{
    snprintf(out, size, "%s/%s/%s", store->id.venue, store->id.instrument, store->id.timeframe);
}

static struct json_object *summary(const struct store *store)
{
    struct json_object *const item = json_object_new_object();
    char name[96];
    size_t bytes = 0;

    store_name(store, name, sizeof name);
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++)
        bytes += store->map_bytes[i];
    add_str(item, "store", name);
    add_str(item, "kind", store_kind_name(store->kind));
    add_int(item, "rows", (int64_t)store->valid_count);
    if (store->count > 0) {
        add_int(item, "from_ms", store->first_ms);
        add_int(item, "last_ms", store->last_ms);
    }
    add_int(item, "gaps", (int64_t)store->gap_count);
    add_int(item, "missing", (int64_t)(store->count - store->valid_count));
    add_int(item, "price_decimals", store->price_scale);
    add_int(item, "bytes", (int64_t)bytes);
    return item;
}

/* --- ls, show, verify ----------------------------------------------------------------------------
 */

struct listing {
    struct json_object *items;
    const char *text; /* only stores whose name holds it */
    bool verify;
    size_t bad;
};

static const struct column store_columns_shown[] = {
    { "STORE", "store", COLUMN_TEXT },       { "ROWS", "rows", COLUMN_NUMBER },
    { "FROM", "from_ms", COLUMN_TIME },      { "LAST", "last_ms", COLUMN_TIME },
    { "MISSING", "missing", COLUMN_NUMBER }, { "BYTES", "bytes", COLUMN_NUMBER },
    { "STATE", "state", COLUMN_STATE },      { NULL, NULL, COLUMN_TEXT },
};

static const char *tail_of(const char *path)
{
    size_t slashes = 0, at = strlen(path);

    while (at > 0 && slashes < 3)
        slashes += path[--at] == '/';
    return path + at + (slashes == 3);
}

static int list_one(void *ctx, const char *path)
{
    struct listing *const listing = ctx;
    struct flt_error error = { 0 };
    struct store store;
    struct json_object *item;

    if (listing->text && !strstr(tail_of(path), listing->text))
        return 0;
    int err = store_open(path, &store, &error);

    if (err == -ENOENT)
        return 0; /* begun and never committed */
    if (!err && listing->verify)
        err = store_verify(&store, &error);
    if (store.path[0]) {
        item = summary(&store);
    } else {
        item = json_object_new_object();
        add_str(item, "store", tail_of(path));
    }
    add_str(item, "state", err ? "damaged" : "ok");
    if (err)
        add_str(item, "why", error.message);
    listing->bad += err != 0;
    store_close(&store);
    return json_object_array_add(listing->items, item);
}

static int list(struct cli *cli, struct listing *listing)
{
    struct json_object *const document = json_object_new_object();

    listing->items = json_object_new_array();
    json_object_object_add(document, "items", listing->items);
    const int err = store_each(cli->dir, list_one, listing);

    if (!err)
        out_list(cli, document, listing->items, store_columns_shown);
    for (size_t i = 0; !err && !cli->json && i < json_object_array_length(listing->items); i++) {
        char why[300];

        out_text(json_object_array_get_idx(listing->items, i), "why", why, sizeof why);
        if (*why)
            out_note(cli, "%s", why);
    }
    if (!err && json_object_array_length(listing->items) == 0)
        out_note(cli, "see: flotilla data import --help");
    json_object_put(document);
    return err;
}

int cmd_data_ls(struct cli *cli)
{
    struct listing listing = { .text = cli_arg(cli, 0) };

    return list(cli, &listing);
}

int cmd_data_verify(struct cli *cli)
{
    struct listing listing = { .text = cli_arg(cli, 0), .verify = true };
    const int err = list(cli, &listing);

    if (!err && listing.bad > 0)
        cli->exit_code = flt_error_exit_code(FLT_INTERNAL);
    return err;
}

static struct json_object *gap_list(const struct store *store)
{
    struct json_object *const gaps = json_object_new_array();

    for (size_t i = 0; i < store->gap_count; i++) {
        struct json_object *const gap = json_object_new_object();

        add_int(gap, "from_ms", store->gaps[i].from_ms);
        add_int(gap, "to_ms", store->gaps[i].from_ms + store->gaps[i].slots * store->step_ms);
        add_int(gap, "candles", store->gaps[i].slots);
        add_str(gap, "reason", store_reason_name((enum store_reason)store->gaps[i].reason));
        json_object_array_add(gaps, gap);
    }
    return gaps;
}

static void show_gaps(const struct cli *cli, const struct store *store)
{
    char when[FLT_ISO_MAX];

    for (size_t i = 0; i < store->gap_count && i < GAPS_SHOWN; i++)
        printf("%-28s %s, %lld candles, %s\n", i == 0 ? "gap" : "",
               flt_iso_format(store->gaps[i].from_ms, when), (long long)store->gaps[i].slots,
               store_reason_name((enum store_reason)store->gaps[i].reason));
    if (store->gap_count > GAPS_SHOWN)
        out_note(cli, "%zu more gaps: all with -o json", store->gap_count - GAPS_SHOWN);
}

int cmd_data_show(struct cli *cli)
{
    char hash[STORE_HASH_MAX], when[FLT_ISO_MAX];
    struct store store;
    const int err = open_store(cli, 0, &store);

    if (err)
        return err;
    struct json_object *const document = summary(&store);

    add_int(document, "slots", (int64_t)store.count);
    if (store.count > 0) {
        add_str(document, "from", flt_iso_format(store.first_ms, when));
        add_str(document, "last", flt_iso_format(store.last_ms, when));
    }
    add_str(document, "hash", store_hash(&store, hash));
    add_str(document, "path", store.path);
    if (cli->json)
        json_object_object_add(document, "gap_list", gap_list(&store));
    out_object(cli, document);
    if (!cli->json)
        show_gaps(cli, &store);
    json_object_put(document);
    store_close(&store);
    return 0;
}

/* --- import --------------------------------------------------------------------------------------
 */

struct changes {
    const struct cli *cli;
    struct json_object *list;
    size_t count;
};

static void on_change(void *ctx, size_t line, const char *reason)
{
    struct changes *const changes = ctx;

    if (changes->count++ < CHANGES_SHOWN)
        out_note(changes->cli, "line %zu: %s", line, reason);
    if (!changes->cli->json)
        return;
    struct json_object *const change = json_object_new_object();

    add_int(change, "line", (int64_t)line);
    add_str(change, "reason", reason);
    json_object_array_add(changes->list, change);
}

/* "x.csv.gz" -> "x.repaired.csv.gz" beside it. */
static int name_copy(struct cli *cli, const char *file, char *out, size_t size)
{
    const size_t length = strlen(file);
    size_t stem = length;

    if (stem > 3 && strcmp(file + stem - 3, ".gz") == 0)
        stem -= 3;
    if (stem > 4 && strncmp(file + stem - 4, ".csv", 4) == 0)
        stem -= 4;
    if (snprintf(out, size, "%.*s.repaired%s", (int)stem, file, file + stem) >= (int)size)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "file", "", "the path is too long");
    return 0;
}

static int repair(struct cli *cli, const char *file, const char *copy, struct json_object *document)
{
    struct changes changes = { cli, json_object_new_array(), 0 };
    struct store_repaired done;
    const int err = store_repair(file, copy, on_change, &changes, &done, &cli->error);

    json_object_object_add(document, "changes", changes.list);
    if (err)
        return err;
    if (changes.count > CHANGES_SHOWN)
        out_note(cli, "%zu more changes: all with -o json", changes.count - CHANGES_SHOWN);
    out_note(cli, "%zu of %zu rows kept, %zu left out, %zu moved: %s", done.kept, done.rows,
             done.dropped, done.moved, copy);
    add_str(document, "repaired_copy", copy);
    add_int(document, "left_out", (int64_t)done.dropped);
    add_int(document, "moved", (int64_t)done.moved);
    return 0;
}

static void on_rows(void *ctx, size_t rows)
{
    progress_count(ctx, rows);
}

static void report_import(struct cli *cli, const struct store_imported *done,
                          struct json_object *document)
{
    struct store store;

    add_int(document, "rows_read", (int64_t)done->rows);
    add_int(document, "added", (int64_t)done->added);
    add_int(document, "already_there", (int64_t)done->same);
    add_int(document, "replaced", (int64_t)done->replaced);
    if (store_open(done->path, &store, NULL) == 0) {
        json_object_object_add(document, "stored", summary(&store));
        store_close(&store);
    }
    out_object(cli, document);
}

bool cli_error_in_rows(const struct cli *cli)
{
    const struct flt_error *const error = &cli->error;
    unsigned long line = 0;

    for (const char *at = error->message; line == 0 && (at = strchr(at, ':')); at++)
        if (at[1] >= '0' && at[1] <= '9') {
            char *end;
            const unsigned long number = strtoul(at + 1, &end, 10);

            line = *end == ':' ? number : 0;
        }
    return error->code == FLT_INVALID_ARGUMENT && strcmp(error->field, "data") == 0 &&
           !error->hint[0] && line > 1;
}

/* Refused rows can often be repaired; say so. */
static void hint_repair(struct cli *cli)
{
    if (!cli_has(cli, "repair") && !cli->error.hint[0] && !strcmp(cli->error.field, "data"))
        snprintf(cli->error.hint, sizeof cli->error.hint, "nothing was changed%s",
                 cli_error_in_rows(cli) ? "; --repair imports a corrected copy" : "");
}

int cmd_data_import(struct cli *cli)
{
    struct progress progress = progress_begin(cli, "rows");
    struct store_import import = {
        .root = cli->dir, .replace = cli_has(cli, "replace"), .progress = on_rows, .ctx = &progress
    };
    const char *const gaps = cli_flag(cli, "gaps");
    const char *file = cli_arg(cli, 0);
    char copy[STORE_PATH_MAX];
    struct store_imported done;
    int err = store_id_parse(&import.id, cli_arg(cli, 1), false, &cli->error);

    if (err)
        return err;
    if (gaps && !store_reason_parse(gaps, &import.gap))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "gaps", "", "no such reason: %.64s", gaps);
    struct json_object *const document = json_object_new_object();

    if (cli_has(cli, "repair")) {
        err = name_copy(cli, file, copy, sizeof copy);
        if (!err)
            err = repair(cli, file, copy, document);
        file = copy;
    }
    if (!err)
        err = store_import(&import, file, &done, &cli->error);
    progress_end(&progress);
    if (err)
        hint_repair(cli);
    else
        report_import(cli, &done, document);
    json_object_put(document);
    return err;
}

/* --- export, resample ----------------------------------------------------------------------------
 */

int cli_time_flag(struct cli *cli, const char *name, int64_t missing, int64_t *out)
{
    const char *const text = cli_flag(cli, name);

    *out = text ? flt_iso_parse(text) : missing;
    if (text && *out < 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, name,
                        "for example 2026-03-01, 2026-03-01T12:00:00Z or Unix ms",
                        "--%s is not a time: %.64s", name, text);
    return 0;
}

int cmd_data_export(struct cli *cli)
{
    int64_t from_ms = 0, to_ms = 0;
    size_t rows = 0;
    struct store store;
    const char *const file = cli_arg(cli, 1);
    int err = cli_time_flag(cli, "from", 0, &from_ms);

    if (!err)
        err = cli_time_flag(cli, "to", INT64_MAX / 2, &to_ms);
    if (!err && from_ms >= to_ms)
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "to", "", "--to is not after --from");
    if (!err)
        err = open_store(cli, 0, &store);
    if (err)
        return err;
    fflush(stdout);
    err = store_verify(&store, &cli->error); /* nothing damaged leaves as if it were data */
    if (!err)
        err = store_export(&store, file, from_ms, to_ms, &rows, &cli->error);
    store_close(&store);
    if (!err && file && cli->json) {
        struct json_object *const document = json_object_new_object();

        add_str(document, "file", file);
        add_int(document, "rows", (int64_t)rows);
        out_json(document);
        json_object_put(document);
    } else if (!err && file)
        out_note(cli, "%zu rows in %s", rows, file);
    return err;
}

int cmd_data_resample(struct cli *cli)
{
    const char *const to = cli_flag(cli, "to");
    struct resampled done;
    struct store store;

    if (!to)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "to", "for example --to 1h", "--to is missing");
    int err = open_store(cli, 0, &store);

    if (err)
        return err;
    err = store_verify(&store, &cli->error);
    if (!err)
        err = store_resample(cli->dir, &store, to, cli_has(cli, "partial"), &done, &cli->error);
    store_close(&store);
    if (!err)
        err = store_open(done.path, &store, &cli->error);
    if (err)
        return err;
    struct json_object *const document = summary(&store);

    add_int(document, "left_out", (int64_t)done.left_out);
    out_object(cli, document);
    if (done.left_out > 0)
        out_note(cli, "%zu candle%s at the ends may not be whole: left out (--partial keeps them)",
                 done.left_out, done.left_out == 1 ? "" : "s");
    json_object_put(document);
    store_close(&store);
    return 0;
}

/* --- completion ----------------------------------------------------------------------------------
 */

struct completion {
    FILE *file;
    const char *prefix;
};

static int complete_one(void *ctx, const char *path)
{
    const struct completion *const completion = ctx;
    const char *const name = tail_of(path);

    if (strncmp(name, completion->prefix, strlen(completion->prefix)) == 0)
        fprintf(completion->file, "%s\t\n", name);
    return 0;
}

void data_complete(const struct cli *cli, FILE *file, const char *prefix)
{
    struct completion completion = { file, prefix };

    (void)store_each(cli->dir, complete_one, &completion);
}
