/* A fill of an earlier owner that comes after its bot has moved: it is booked like any other, and
 * told to the present owner until that one says that it has it, or a next one begins with it.
 * Kept in the database until a snapshot has it too: whoever begins with a state that does not say
 * what it has (resume.c), as on paper, begins with those that are in no snapshot. */
#define FLT_MOD "late"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/log.h"

#define AGAIN_FIRST_MS 500
#define AGAIN_MAX_MS 8000
#define TTL_MS 10000

struct late_fill {
    struct late_fill *next;
    char bot[FLT_NAME_MAX];
    struct msg_fill fill;
    int64_t due_ms, wait_ms; /* monotonic */
    bool flying;
    bool over; /* a next owner was handed it: nobody is told once the answer is here */
};

static void bind_key(sqlite3_stmt *stmt, const struct late_fill *late)
{
    flt_db_bind_str(stmt, 1, late->bot);
    flt_db_bind_str(stmt, 2, late->fill.instrument);
    flt_db_bind_str(stmt, 3, late->fill.trade_id);
    flt_db_bind_str(stmt, 4, late->fill.order_id);
}

static struct late_fill *add(struct controller *controller, const char *bot,
                             const struct msg_fill *fill)
{
    struct late_fill *late = calloc(1, sizeof *late);

    if (!late)
        return NULL;
    snprintf(late->bot, sizeof late->bot, "%s", bot);
    late->fill = *fill;
    late->wait_ms = controller_scaled_ms(controller, AGAIN_FIRST_MS);
    late->next = controller->late;
    controller->late = late;
    return late;
}

int late_load(struct controller *controller)
{
    sqlite3_stmt *stmt =
        store_read(&controller->store, "SELECT bot, fill FROM late_fills WHERE done = 0");
    int err = stmt ? 0 : -EIO;

    while (!err && store_next(&controller->store, stmt)) {
        const char *text = flt_db_str(stmt, 1);
        struct msg_fill fill;

        if (msg_parse(&msg_type_fill, text, strlen(text), MSG_PROGRAM, &fill, NULL) != 0)
            err = FLT_FAIL(-EBADMSG, "bot=%s", flt_db_str(stmt, 0));
        else if (!add(controller, flt_db_str(stmt, 0), &fill))
            err = -ENOMEM;
    }
    sqlite3_reset(stmt);
    return err;
}

/* In the transaction that books it. */
void late_take(struct controller *controller, const char *bot, const struct msg_fill *fill)
{
    struct late_fill *late = add(controller, bot, fill);
    struct flt_buf text = FLT_BUF_INIT;
    sqlite3_stmt *stmt;

    FLT_LOG(WARN, "late_fill", "bot=%s trade_id=%s", bot, fill->trade_id);
    msg_fill_encode(&text, fill);
    if (late && !text.failed) {
        stmt = store_write(&controller->store,
                           "INSERT OR IGNORE INTO late_fills (bot, instrument, trade_id, order_id,"
                           " fill) VALUES (?, ?, ?, ?, ?)");
        bind_key(stmt, late);
        flt_db_bind_str(stmt, 5, text.data);
        controller_check(controller, store_run(&controller->store, stmt));
    } else {
        controller_check(controller, -ENOMEM);
    }
    flt_buf_finish(&text);
}

/* Out of the list, and out of the table or marked there. */
static void end(struct controller *controller, struct late_fill *late, bool keep)
{
    struct late_fill **place = &controller->late;
    sqlite3_stmt *stmt = store_write(
        &controller->store, keep ? "UPDATE late_fills SET done = 1 WHERE bot = ? AND instrument = ?"
                                   " AND trade_id = ? AND order_id = ?"
                                 : "DELETE FROM late_fills WHERE bot = ? AND instrument = ?"
                                   " AND trade_id = ? AND order_id = ?");

    bind_key(stmt, late);
    controller_check(controller, store_run(&controller->store, stmt));
    while (*place != late)
        place = &(*place)->next;
    *place = late->next;
    free(late);
}

static void on_answer(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    struct late_fill *late = ctx;

    late->flying = false;
    if (controller->stopping)
        return;
    if (late->over || (res && res->state == MSG_N_RES_STATE_DONE)) {
        end(controller, late, true);
        return;
    }
    /* It has not begun yet, or moved on. */
    late->due_ms = controller_mono_ms(controller) + late->wait_ms;
    if (late->wait_ms < controller_scaled_ms(controller, AGAIN_MAX_MS))
        late->wait_ms *= 2;
}

void late_tick(struct controller *controller)
{
    const int64_t now_ms = controller_mono_ms(controller);

    for (struct late_fill *late = controller->late, *next; late; late = next) {
        const struct bot *bot = inventory_find_bot(&controller->inventory, late->bot);
        const struct node *node =
            bot ? inventory_find_node(&controller->inventory, bot->node) : NULL;
        const struct msg_cmd_late_fill_args args = { .fill = late->fill };

        next = late->next;
        if (late->flying || late->over || now_ms < late->due_ms)
            continue;
        if (!bot || !bot_listed(bot)) {
            end(controller, late, false);
        } else if (node && node_is_up(node, now_ms)) {
            late->flying = true;
            commands_send(controller, bot->node, MSG_C_CMD_OP_LATE_FILL, bot->name, &args,
                          controller_scaled_ms(controller, TTL_MS), false, NULL, on_answer, late);
        }
    }
}

void late_handed(struct controller *controller, const char *bot)
{
    for (struct late_fill *late = controller->late, *next; late; late = next) {
        next = late->next;
        if (strcmp(late->bot, bot) != 0)
            continue;
        if (late->flying)
            late->over = true;
        else
            end(controller, late, true);
    }
}

void late_covered(struct controller *controller, const char *bot)
{
    sqlite3_stmt *stmt =
        store_write(&controller->store, "DELETE FROM late_fills WHERE bot = ? AND done = 1");

    flt_db_bind_str(stmt, 1, bot);
    controller_check(controller, store_run(&controller->store, stmt));
}

void late_write(struct controller *controller, const char *bot, struct flt_buf *buf)
{
    sqlite3_stmt *stmt =
        store_read(&controller->store, "SELECT fill FROM late_fills WHERE bot = ?");

    flt_db_bind_str(stmt, 1, bot);
    while (store_next(&controller->store, stmt))
        flt_jw_raw(buf, NULL, flt_db_str(stmt, 0));
}

void late_finish(struct controller *controller)
{
    while (controller->late) {
        struct late_fill *late = controller->late;

        controller->late = late->next;
        free(late);
    }
}
