/* flotilla data download: candles from a venue, with a bar that shows how far it is. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/download.h"
#include "backtest/import.h"
#include "controller/cli/commands.h"
#include "controller/cli/progress.h"
#include "lib/clock.h"

static void on_progress(void *ctx, int64_t done_ms, int64_t total_ms, size_t added)
{
    progress_bar(ctx, done_ms, total_ms, added);
}

static int read_flags(struct cli *cli, struct store_download *download)
{
    const char *const page = cli_flag(cli, "page");
    int err = cli_time_flag(cli, "since", -1, &download->since_ms);

    if (!err)
        err = cli_time_flag(cli, "until", -1, &download->until_ms);
    download->page = page ? atoi(page) : 0;
    if (!err && page && (download->page < 1 || download->page > 1000))
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "page", "", "--page is from 1 to 1000");
    if (!err && download->since_ms >= 0 && download->until_ms >= 0 &&
        download->since_ms >= download->until_ms)
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "until", "", "--until is not after --since");
    if (!err && download->since_ms > flt_wall_ms(flt_clock_system()))
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "since", "", "--since is in the future");
    return err;
}

static void report(struct cli *cli, const struct store_downloaded *done)
{
    struct json_object *const document = json_object_new_object();
    char when[FLT_ISO_MAX];
    struct store store;

    json_object_object_add(document, "added", json_object_new_int64((int64_t)done->added));
    json_object_object_add(document, "requests", json_object_new_int64((int64_t)done->pages));
    json_object_object_add(document, "resumed", json_object_new_boolean(done->resumed));
    json_object_object_add(document, "interrupted", json_object_new_boolean(done->interrupted));
    if (store_open(done->path, &store, NULL) == 0) {
        json_object_object_add(document, "rows", json_object_new_int64((int64_t)store.valid_count));
        json_object_object_add(document, "gaps", json_object_new_int64((int64_t)store.gap_count));
        json_object_object_add(document, "first_ms", json_object_new_int64(store.first_ms));
        json_object_object_add(document, "last_ms", json_object_new_int64(store.last_ms));
        if (!cli->json)
            json_object_object_add(document, "last",
                                   json_object_new_string(flt_iso_format(store.last_ms, when)));
        store_close(&store);
    }
    out_object(cli, document);
    json_object_put(document);
}

int cmd_data_download(struct cli *cli)
{
    struct progress progress = progress_begin(cli, "candles");
    struct store_download download = { .root = cli->dir,
                                       .url = cli_flag(cli, "url"),
                                       .replace = cli_has(cli, "replace"),
                                       .progress = on_progress,
                                       .ctx = &progress };
    struct store_downloaded done;
    int err = store_id_parse(&download.id, cli_arg(cli, 0), true, &cli->error);

    if (!err)
        err = read_flags(cli, &download);
    if (!err)
        err = store_download(&download, &done, &cli->error);
    progress_end(&progress);
    if (err)
        return err;
    report(cli, &done);
    if (done.interrupted) {
        out_note(cli, "interrupted; the same command goes on from there");
        cli->exit_code = 130;
    }
    return 0;
}
