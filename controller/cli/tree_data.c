/* Rows of `flotilla data`. */
#include "controller/cli/commands.h"
#include "controller/cli/tree.h"

static const struct cli_flag import_flags[] = {
    { .name = "repair",
      .help = "import a corrected copy (FILE.repaired.csv), listing each change" },
    { .name = "replace", .help = "where the file differs from what is stored, the file is right" },
    { .name = "gaps",
      .value = "REASON",
      .choices = "unknown|no_trades|venue_down|not_listed",
      .help = "why candles are missing in it (default unknown)" },
    CLI_END,
};

static const struct cli_flag export_flags[] = {
    { .name = "from", .value = "TIME", .help = "rows at or after it" },
    { .name = "to", .value = "TIME", .help = "rows before it" },
    CLI_END,
};

static const struct cli_flag resample_flags[] = {
    { .name = "to", .value = "TIMEFRAME", .help = "for example 1h" },
    { .name = "partial", .help = "also candles at the ends that may not be whole" },
    CLI_END,
};

static const struct cli_flag download_flags[] = {
    { .name = "since", .value = "TIME", .help = "from when, where nothing is stored yet" },
    { .name = "until",
      .value = "TIME",
      .help = "candles before it (default: all that have closed)" },
    { .name = "url", .value = "URL", .help = "REST address (default: the venue's own)" },
    { .name = "replace", .help = "throw away what is stored" },
    { .name = "page", .value = "N", .help = "candles a request (default 1000)" },
    CLI_END,
};

const struct cli_command cli_data_commands[] = {
    { .name = "import",
      .args = "FILE STORE",
      .help = "take a CSV file, plain or gzip, into a store",
      .run = cmd_data_import,
      .flags = import_flags,
      .live = "file",
      .details = "STORE is VENUE/INSTRUMENT/TIMEFRAME; without the timeframe it is told by the\n"
                 "distance of the rows. The file's columns say what it holds:\n"
                 "  ts_ms,open,high,low,close,volume           candles, by opening time (UTC)\n"
                 "  ts_ms,price,qty,is_buyer_maker             trades\n"
                 "  ts_ms,update_id,bid,bid_qty,ask,ask_qty    quotes (best bid and ask)\n"
                 "A file is taken whole or not at all.",
      .examples = "  flotilla data import btcusdt-1m.csv.gz binance/BTC-USDT/1m" },
    { .name = "ls",
      .args = "[TEXT]",
      .help = "what is stored",
      .run = cmd_data_ls,
      .live = "store" },
    { .name = "show",
      .args = "STORE",
      .help = "one store: range, gaps with reasons, hash",
      .run = cmd_data_show,
      .live = "store" },
    { .name = "verify",
      .args = "[TEXT]",
      .help = "every block against its checksum",
      .run = cmd_data_verify,
      .live = "store" },
    { .name = "export",
      .args = "STORE [FILE]",
      .help = "as CSV to FILE (.gz: gzip) or standard output",
      .run = cmd_data_export,
      .flags = export_flags,
      .live = "store",
      .examples = "  flotilla data export binance/BTC-USDT/1h --from 2026-01-01 jan.csv.gz" },
    { .name = "resample",
      .args = "STORE",
      .help = "longer candles from shorter ones or from trades",
      .run = cmd_data_resample,
      .flags = resample_flags,
      .live = "store",
      .examples = "  flotilla data resample binance/BTC-USDT/1m --to 1h\n"
                  "  flotilla data resample binance/BTC-USDT/trades --to 1m" },
    { .name = "download",
      .args = "STORE",
      .help = "candles from the venue; again: goes on where it ended",
      .run = cmd_data_download,
      .flags = download_flags,
      .live = "store",
      .examples = "  flotilla data download binance/BTC-USDT/1m --since 2025-01-01" },
    CLI_END,
};
