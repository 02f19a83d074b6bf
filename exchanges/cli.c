#include "exchanges/cli.h"
#define FLT_MOD "exchange"
#include "exchanges/args.h"
#include "exchanges/normal.h"
#include "lib/clock.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char exchange_command_help[] =
    "Runs a venue's codec without any network.\n"
    "\n"
    "  flotilla exchange venues\n"
    "  flotilla exchange request --venue V --op OP [--args JSON] [--instruments FILE]\n"
    "                            [--key-file FILE] [--now-ms T] [--base-url URL]\n"
    "  flotilla exchange parse   --venue V --op OP [--instruments FILE] [--http-status N]\n"
    "                            [--retry-after S] [--args JSON] [--now-ms T]  < reply.json\n"
    "  flotilla exchange stream  --venue V [--instruments FILE]                < frames.ndjson\n"
    "\n"
    "request prints the signed request {http_method,url,headers,body}; parse the normalised "
    "object\n"
    "or array, or {\"error\":{\"class\":..}}; stream one normalised event a line. --instruments is "
    "the\n"
    "venue's own reply; --key-file holds {\"key\":..,\"secret\":..} or "
    "{\"key\":..,\"private_key_pem\":..}.\n";

#define INPUT_MAX (64 * 1024 * 1024)

struct options {
    const char *venue, *op, *args, *instruments, *key_file, *now_ms, *http_status, *retry_after,
        *base_url;
};

struct session {
    struct options options;
    const struct codec *codec;
    enum op op;
    struct instruments table;
    struct op_args_store args;
    int64_t now_ms;
    struct flt_error error;
};

static int refuse(struct session *session, const char *field, const char *hint, const char *why)
{
    return flt_error_set(&session->error, FLT_INVALID_ARGUMENT, field, hint, "%s", why);
}

static int read_options(struct session *session, int argc, char **argv)
{
    struct options *to = &session->options;
    const struct {
        const char *name;
        const char **value;
    } rows[] = {
        { "--venue", &to->venue },
        { "--op", &to->op },
        { "--args", &to->args },
        { "--instruments", &to->instruments },
        { "--key-file", &to->key_file },
        { "--now-ms", &to->now_ms },
        { "--http-status", &to->http_status },
        { "--retry-after", &to->retry_after },
        { "--base-url", &to->base_url },
    };

    for (int i = 2; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        const size_t size = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        const char **slot = NULL;

        for (size_t k = 0; k < FLT_COUNT(rows); k++)
            if (strlen(rows[k].name) == size && memcmp(rows[k].name, argv[i], size) == 0)
                slot = rows[k].value;
        if (!slot)
            return flt_error_set(&session->error, FLT_INVALID_ARGUMENT, argv[i],
                                 "see flotilla exchange --help", "%s is not an option", argv[i]);
        if (!equals && i + 1 == argc)
            return flt_error_set(&session->error, FLT_INVALID_ARGUMENT, argv[i], "",
                                 "%s needs a value", argv[i]);
        *slot = equals ? equals + 1 : argv[++i];
    }
    return 0;
}

static int find_venue(struct session *session)
{
    const char *names[32];
    size_t count;
    const struct codec *const *list = codec_list(&count);

    if (!session->options.venue)
        return refuse(session, "--venue", "see flotilla exchange venues", "--venue is missing");
    session->codec = codec_find(session->options.venue);
    if (session->codec)
        return 0;
    for (size_t i = 0; i < count && i < FLT_COUNT(names); i++)
        names[i] = list[i]->name;
    const char *near = flt_nearest(session->options.venue, names, count);

    return flt_error_set(&session->error, FLT_NOT_FOUND, "--venue", near ? near : "",
                         "no venue %s has a codec here", session->options.venue);
}

static int find_op(struct session *session)
{
    const char *names[OP_COUNT];
    const char *word = session->options.op;

    if (!word)
        return refuse(session, "--op", "such as place_order", "--op is missing");
    for (int i = 0; i < OP_COUNT; i++)
        names[i] = op_name((enum op)i);
    if (!op_parse(word, &session->op)) {
        const char *near = flt_nearest(word, names, OP_COUNT);

        return flt_error_set(&session->error, FLT_INVALID_ARGUMENT, "--op", near ? near : "",
                             "%s is not an operation", word);
    }
    if (!session->codec->supports(session->op))
        return flt_error_set(&session->error, FLT_INVALID_ARGUMENT, "--op", "", "%s has no %s",
                             session->codec->name, word);
    return 0;
}

static int load_instruments(struct session *session)
{
    const char *path = session->options.instruments;
    struct codec_reply reply = { 0 };
    struct result result = { 0 };

    if (!path)
        return 0;
    char *text = flt_file_read(path, INPUT_MAX, &reply.size);

    if (!text)
        return flt_error_set(&session->error, flt_error_from_errno(-errno), "--instruments", "",
                             "%s: %s", path, strerror(errno));
    reply.body = text;
    session->codec->parse(NULL, OP_INSTRUMENTS, NULL, &reply, &result);
    int err = 0;

    if (result.failure.error != EXCHANGE_OK)
        err = flt_error_set(&session->error, FLT_INVALID_ARGUMENT, "--instruments",
                            "it must be the venue's own instruments reply", "%s: %s", path,
                            result.failure.message);
    else
        err = instruments_load(&session->table, result.items.items, result.items.count);
    result_finish(&result);
    free(text);
    return err;
}

static int read_arguments(struct session *session, enum op op)
{
    const char *text = session->options.args ? session->options.args : "{}";
    struct json_object *object = flt_json_parse(text, strlen(text), &session->error);

    if (!object)
        return flt_error_set(&session->error, FLT_INVALID_ARGUMENT, "--args", "",
                             "--args is not JSON");
    const int err = args_read(op, object, &session->table, &session->args, &session->error);

    json_object_put(object);
    return err;
}

static int read_now(struct session *session)
{
    const char *text = session->options.now_ms;
    char *end = NULL;

    session->now_ms = text ? strtoll(text, &end, 10) : flt_wall_ms(flt_clock_system());
    if (text && (*end || session->now_ms <= 0))
        return refuse(session, "--now-ms", "", "--now-ms must be Unix milliseconds");
    return 0;
}

static int read_key(struct session *session, struct signer **out)
{
    const char *path = session->options.key_file;
    struct exchange_credentials keys = { 0 };

    *out = NULL;
    if (!path)
        return 0;
    struct json_object *file = flt_json_load(path, &session->error);

    if (!file)
        return flt_error_set(&session->error, FLT_INVALID_ARGUMENT, "--key-file", "",
                             "%s cannot be read", path);
    if (!flt_json_str(file, "key", &keys.key))
        (void)flt_json_str(file, "apiKey", &keys.key);
    (void)flt_json_str(file, "secret", &keys.secret);
    (void)flt_json_str(file, "private_key_pem", &keys.private_key_pem);
    (void)flt_json_str(file, "passphrase", &keys.passphrase);
    int err = 0;

    if (!keys.key || (!keys.secret && !keys.private_key_pem) || signer_create(&keys, out) != 0)
        err = refuse(session, "--key-file", "{\"key\":..,\"secret\":..}",
                     "the key file needs key and secret (or private_key_pem)");
    json_object_put(file);
    return err;
}

/* --- the three commands --- */

static void print(const struct flt_buf *out)
{
    fwrite(out->data, 1, out->length, stdout);
    putchar('\n');
}

static void print_request(const struct wire *wire)
{
    struct flt_buf out = FLT_BUF_INIT;

    flt_jw_begin(&out, NULL, '{');
    flt_jw_str(&out, "http_method", wire->method);
    flt_jw_str_n(&out, "url", wire->url.data, wire->url.length);
    flt_jw_begin(&out, "headers", '{');
    for (size_t i = 0; i < wire->header_count; i++) {
        const char *colon = strchr(wire->headers[i], ':');
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)(colon - wire->headers[i]), wire->headers[i]);
        flt_jw_str(&out, name, colon + 2);
    }
    flt_jw_end(&out, '}');
    if (wire->body.length > 0)
        flt_jw_str_n(&out, "body", wire->body.data, wire->body.length);
    else
        flt_jw_null(&out, "body");
    flt_jw_end(&out, '}');
    print(&out);
    flt_buf_finish(&out);
}

static int run_request(struct session *session)
{
    struct signer *signer = NULL;
    struct wire wire = { 0 };
    int err = find_op(session);

    if (err == 0)
        err = read_key(session, &signer);
    if (err == 0)
        err = read_arguments(session, session->op);
    if (err == 0) {
        const char *base = session->options.base_url;
        const struct codec_env env = { base ? base : session->codec->live.rest, signer,
                                       session->now_ms, 0 };

        err = session->codec->build(&env, session->op, &session->args.args, &wire, &session->error);
    }
    if (err == 0)
        print_request(&wire);
    wire_finish(&wire);
    signer_destroy(signer);
    return err;
}

static char *read_stdin(size_t *size)
{
    struct flt_buf text = FLT_BUF_INIT;
    char chunk[65536];
    size_t got;

    flt_buf_append(&text, "", 0);
    while ((got = fread(chunk, 1, sizeof chunk, stdin)) > 0 && text.length < INPUT_MAX)
        flt_buf_append(&text, chunk, got);
    *size = text.length;
    return text.data;
}

static int run_parse(struct session *session)
{
    struct codec_reply reply = { .retry_after = session->options.retry_after,
                                 .now_ms = session->options.now_ms ? session->now_ms : 0 };
    struct result result = { 0 };
    struct flt_buf out = FLT_BUF_INIT;
    int err = find_op(session);

    if (err == 0 && session->options.args)
        err = read_arguments(session, OP_STATUS); /* context only: nothing is required */
    if (err != 0)
        return err;
    if (session->options.http_status)
        reply.http_status = atoi(session->options.http_status);
    char *text = read_stdin(&reply.size);

    reply.body = text ? text : "";
    session->codec->parse(&session->table, session->op, &session->args.args, &reply, &result);
    normal_result(&out, &result);
    if (!out.failed)
        print(&out);
    flt_buf_finish(&out);
    result_finish(&result);
    free(text);
    return 0;
}

static void print_event(void *ctx, const struct stream_event *event)
{
    struct flt_buf *out = ctx;

    flt_buf_reset(out);
    normal_event(out, event);
    if (!out->failed)
        print(out);
}

static int run_stream(struct session *session)
{
    struct stream_scratch scratch = { 0 };
    struct flt_buf out = FLT_BUF_INIT;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;

    while ((size = getline(&line, &capacity, stdin)) >= 0) {
        while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
            size--;
        if (size > 0)
            session->codec->frame(&session->table, line, (size_t)size, &scratch, print_event, &out);
    }
    free(line);
    flt_buf_finish(&out);
    stream_scratch_finish(&scratch);
    return 0;
}

static int run_venues(struct session *session)
{
    struct flt_buf out = FLT_BUF_INIT;
    size_t count;
    const struct codec *const *list = codec_list(&count);

    (void)session;
    flt_jw_begin(&out, NULL, '[');
    for (size_t i = 0; i < count; i++) {
        flt_jw_begin(&out, NULL, '{');
        flt_jw_str(&out, "venue", list[i]->name);
        flt_jw_begin(&out, "ops", '[');
        for (int op = 0; op < OP_COUNT; op++)
            if (list[i]->supports((enum op)op))
                flt_jw_str(&out, NULL, op_name((enum op)op));
        flt_jw_end(&out, ']');
        flt_jw_end(&out, '}');
    }
    flt_jw_end(&out, ']');
    print(&out);
    flt_buf_finish(&out);
    return 0;
}

static void print_error(const struct flt_error *error)
{
    struct flt_buf out = FLT_BUF_INIT;

    flt_jw_begin(&out, NULL, '{');
    flt_jw_begin(&out, "error", '{');
    flt_jw_str(&out, "code", flt_error_name(error->code));
    flt_jw_str(&out, "message", error->message);
    flt_jw_str(&out, "hint", error->hint);
    flt_jw_str(&out, "field", error->field);
    flt_jw_end(&out, '}');
    flt_jw_end(&out, '}');
    fprintf(stderr, "%s\n", out.data ? out.data : "{}");
    flt_buf_finish(&out);
}

struct subcommand {
    const char *name;
    int (*run)(struct session *session);
    bool needs_venue;
};

static const struct subcommand subcommands[] = {
    { "request", run_request, true },
    { "parse", run_parse, true },
    { "stream", run_stream, true },
    { "venues", run_venues, false },
};

static int run(struct session *session, int argc, char **argv)
{
    const char *names[FLT_COUNT(subcommands)];

    for (size_t i = 0; i < FLT_COUNT(subcommands); i++) {
        names[i] = subcommands[i].name;
        if (strcmp(subcommands[i].name, argv[1]) != 0)
            continue;
        int err = read_options(session, argc, argv);

        if (err == 0 && subcommands[i].needs_venue)
            err = find_venue(session);
        if (err == 0 && subcommands[i].needs_venue)
            err = load_instruments(session);
        if (err == 0)
            err = read_now(session);
        return err == 0 ? subcommands[i].run(session) : err;
    }
    const char *near = flt_nearest(argv[1], names, FLT_COUNT(names));

    return flt_error_set(&session->error, FLT_INVALID_ARGUMENT, "exchange", near ? near : "",
                         "flotilla exchange has no command %s", argv[1]);
}

int exchange_command(int argc, char **argv)
{
    struct session session = { 0 };

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(exchange_command_help, stdout);
        return argc < 2 ? flt_error_exit_code(FLT_INVALID_ARGUMENT) : 0;
    }
    instruments_init(&session.table);
    const int err = run(&session, argc, argv);

    if (err != 0 && session.error.code == FLT_OK)
        flt_error_set(&session.error, flt_error_from_errno(err), "", "", "%s", strerror(-err));
    if (err != 0)
        print_error(&session.error);
    args_finish(&session.args);
    instruments_finish(&session.table);
    return err == 0 ? 0 : flt_error_exit_code(session.error.code);
}
