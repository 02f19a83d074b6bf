#define FLT_MOD "cli"
#include <string.h>
#include "controller/cli/topics.h"

static const char filter_text[] =
    "A filter says which bots: bot ls -l, every bot verb, top, export and the dashboard's search\n"
    "read the same language. Terms stand side by side, with blanks or commas between; all must\n"
    "hold.\n"
    "\n"
    "  grid                   a word is part of bot, node, strategy, instrument or state\n"
    "  node=node-1            equals; node:node- is part of (~ is the same)\n"
    "  state=error|paused     one of several\n"
    "  !grid  node!=node-1    not\n"
    "  pnl<0  fills>=10       numbers: > >= < <=  (exact, not rounded)\n"
    "  age>5s                 nothing was heard of it for so long (ms, s, m, h)\n"
    "  \"a b\"                  quotes keep blanks, commas and bars together\n"
    "\n"
    "Fields: bot (name), node, strategy, pair (instrument), state (phase), account, venue, mode,\n"
    "run, reason; numbers: pnl (equity), realised, position, price, fills, orders, age.\n"
    "Letters' case does not matter. What a bot does not have matches only != and terms with !.\n"
    "In a shell, quote a filter that has < > | ! or blanks:\n"
    "\n"
    "  flotilla bot ls -l 'state=error pnl<0'\n"
    "  flotilla bot stop -l node=node-1,strategy=grid --dry-run\n";

static const char output_text[] =
    "-o table    for people; on a terminal the widest words are cut to its width\n"
    "-o wide     all columns, nothing cut\n"
    "-o json     one document; money is text with its exact digits\n"
    "-o jsonl    one document a row or event\n"
    "-o csv      a line of keys, then the values as they are in json\n"
    "-o name     the names alone, one a line\n"
    "\n"
    "--columns A,B picks and orders columns (by title or key), --sort COLUMN or --sort=-COLUMN\n"
    "sorts, --no-headers leaves out the first line. Data alone goes to standard output; progress,\n"
    "questions and errors go to standard error, with -o json as "
    "{\"error\":{code,message,hint,field}}.\n"
    "What comes from others (notes, reasons, logs) is cleaned of control characters.\n"
    "Colour: on a terminal only; never with NO_COLOR, always with --color always or "
    "CLICOLOR_FORCE.\n";

static const char settings_text[] =
    "Where a setting comes from, weak to strong:\n"
    "\n"
    "  built in\n"
    "  /etc/xdg/flotilla/config.json (the first of $XDG_CONFIG_DIRS)\n"
    "  $XDG_CONFIG_HOME/flotilla/config.json (~/.config; $FLOTILLA_CONFIG names another file)\n"
    "  the context in use: flotilla context use NAME\n"
    "  environment: FLOTILLA_CONTEXT, _DIR, _URL, _TENANT, _USER, _PASSWORD_FILE, _CA_FILE,\n"
    "               _OUTPUT, _TIMEOUT\n"
    "  flags: --context, --dir, --user, --output, --color, --timeout\n"
    "\n"
    "flotilla config show --origin says which it was. A password comes from $FLOTILLA_PASSWORD, "
    "else\n"
    "from password_file, else from DIR/secrets/USER.password; it is never kept in these files.\n"
    "--dir (and $FLOTILLA_DIR) leave out a context that is only usual.\n";

static const char waiting_text[] =
    "--wait[=TIME] follows what the bot's own node reports until it is so (default 30s), a line "
    "as\n"
    "each bot arrives. Without it a command returns when the controller has recorded what should\n"
    "be; the fleet gets there by itself, also over an outage. Ctrl-C ends the waiting, not the\n"
    "work (exit status 130): look again with flotilla bot ls.\n"
    "\n"
    "A command that got no answer may still be carried out: it is never sent twice by itself. "
    "Look\n"
    "(flotilla bot show BOT; flotilla audit -n 5) before repeating it. What is asked for has a\n"
    "deadline (--timeout) that the controller obeys: it is not carried out late.\n";

static const char first_steps_text[] =
    "  flotilla up --demo                 24 bots on recorded market data, in seconds\n"
    "  flotilla top                       watch them; ? for keys, q to leave\n"
    "  flotilla bot ls --sort=-equity     what each earned\n"
    "  flotilla strategy show grid        what a strategy takes\n"
    "  flotilla bot deploy --name g1 --strategy grid --account demo --instrument BTC-USDT \\\n"
    "      -P lower=60000 -P upper=63000 -P levels=20 -P budget=5000 --wait\n"
    "  flotilla bot logs -f g1            what it does and why\n"
    "  flotilla fills g1 -o csv           its trades\n"
    "  flotilla bot stop g1 --flatten     cancel its orders, sell what it holds\n"
    "  flotilla down                      stop the fleet\n";

static const struct cli_topic topics[] = {
    { "exit-codes", "what exit statuses mean", NULL },
    { "filter", "which bots: the language of -l", filter_text },
    { "first-steps", "a fleet in five minutes", first_steps_text },
    { "output", "formats, columns, colour", output_text },
    { "settings", "files, contexts, environment, flags", settings_text },
    { "topics", "this list", NULL },
    { "waiting", "--wait, Ctrl-C, and answers that do not come", waiting_text },
};

const struct cli_topic *cli_topic_at(size_t index)
{
    return index < FLT_COUNT(topics) ? &topics[index] : NULL;
}

const struct cli_topic *cli_topic_find(const char *name)
{
    for (size_t i = 0; i < FLT_COUNT(topics); i++)
        if (strcmp(topics[i].name, name) == 0)
            return &topics[i];
    return NULL;
}

/* From the one table of errors (lib/fail.c), and what this program adds. */
static void print_exit_codes(FILE *file)
{
    static const char *const meanings[FLT_ERROR_CODE_COUNT] = {
        [FLT_OK] = "done",
        [FLT_INTERNAL] = "a bug, or the machine failed us",
        [FLT_INVALID_ARGUMENT] = "words, flags or values that cannot be; `field` says which",
        [FLT_NOT_FOUND] = "no such fleet, bot, node, account, user; nothing matched",
        [FLT_CONFLICT] = "it is in another state: running already, port in use, something differs",
        [FLT_DENIED] = "the user may not",
        [FLT_STALE] = "what is known is too old to act on",
        [FLT_EXPIRED] = "it came too late",
        [FLT_INSUFFICIENT_FUNDS] = "the account holds too little",
        [FLT_RATE_LIMITED] = "too much at once; again later",
        [FLT_VENUE_ERROR] = "the venue refused",
        [FLT_UNAVAILABLE] =
            "broker, controller or another part does not answer; doctor found a failure",
    };

    for (int status = 0; status <= 11; status++)
        for (int code = 0; code < FLT_ERROR_CODE_COUNT; code++)
            if (flt_error_exit_code((enum flt_error_code)code) == status)
                fprintf(file, "  %3d  %-20s %s\n", status,
                        code == FLT_OK ? "" : flt_error_name((enum flt_error_code)code),
                        meanings[code]);
    fputs("   12                       done for some of several; doctor found a warning\n"
          "  130                       Ctrl-C while waiting: what was asked for goes on\n"
          "  141                       the reader of standard output went away\n",
          file);
}

void cli_topic_print(FILE *file, const struct cli_topic *topic)
{
    if (topic->text)
        fputs(topic->text, file);
    else if (strcmp(topic->name, "exit-codes") == 0)
        print_exit_codes(file);
    else
        for (size_t i = 0; i < FLT_COUNT(topics); i++)
            fprintf(file, "  flotilla help %-13s %s\n", topics[i].name, topics[i].title);
}
