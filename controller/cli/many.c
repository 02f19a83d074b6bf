/* One verb, many times: a window of requests under way, answers in order. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include "controller/cli/session.h"

#define WINDOW 32

struct many {
    struct session *session;
    const char *verb;
    struct json_object *args; /* an array */
    size_t count, next, under_way, done;
    struct session_answers *answers;
    struct slot {
        struct many *many;
        struct json_object *result;
        struct flt_error error;
    } * slots;
};

static void send_more(struct many *many);

static void on_answer(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct slot *slot = ctx;
    struct many *many = slot->many;

    slot->result = json_object_get(result);
    slot->error = *error;
    many->under_way--;
    many->done++;
    if (!result && many->answers->failed++ == 0)
        many->answers->first = *error;
    send_more(many);
    if (many->done == many->count)
        flt_loop_stop(many->session->loop);
}

static void send_more(struct many *many)
{
    while (many->under_way < WINDOW && many->next < many->count) {
        struct slot *slot = &many->slots[many->next];

        slot->many = many;
        many->under_way++;
        bus_request(many->session->bus, many->verb,
                    json_object_get(json_object_array_get_idx(many->args, many->next++)),
                    many->session->cli->timeout_ms, on_answer, slot);
    }
}

static struct json_object *failed_row(const struct flt_error *error)
{
    struct json_object *row = json_object_new_object();

    json_object_object_add(row, "error",
                           args_of("code", flt_error_name(error->code), "message", error->message,
                                   "hint", error->hint, "field", error->field, NULL));
    return row;
}

int session_ask_many(struct session *session, const char *verb, struct json_object *args,
                     struct session_answers *out)
{
    struct many many = { .session = session,
                         .verb = verb,
                         .args = args,
                         .count = json_object_array_length(args),
                         .answers = out };

    *out = (struct session_answers){ .rows = json_object_new_array() };
    many.slots = calloc(many.count + 1, sizeof *many.slots);
    if (!many.slots)
        return -ENOMEM;
    send_more(&many);
    while (many.done < many.count)
        flt_loop_run(session->loop);
    for (size_t i = 0; i < many.count; i++) {
        struct slot *slot = &many.slots[i];

        json_object_array_add(out->rows, slot->result ? slot->result : failed_row(&slot->error));
    }
    free(many.slots);
    return 0;
}
