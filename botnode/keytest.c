#define FLT_MOD "keytest"
#include "botnode/keytest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/accounts.h"
#include "botnode/venues.h"
#include "lib/fail.h"

#define TICK_MS 50
#define LIMIT_MS 8000
#define CLOCK_WARN_MS 1000
#define CHECKS_MAX 8
#define KEYTESTS_MAX 8
#define SECRET_MAX 8192

struct keytest {
    struct botnode *node;
    struct keytest *next;
    char account[FLT_NAME_MAX], venue_name[FLT_NAME_MAX];
    char secret[SECRET_MAX]; /* until the connection has it */
    struct venue *venue;
    const struct exchange_ops *ops;
    struct exchange_account *handle;
    struct flt_timer *timer;
    int64_t end_ms; /* monotonic */
    bool opened, asked_balances, asked_rights, ending;
    unsigned waiting;
    struct msg_key_check checks[CHECKS_MAX];
    size_t count;
    keytest_done_fn *done;
    void *ctx;
};

FLT_PRINTF(5, 6)
static struct msg_key_check *put(struct msg_key_check *out, enum msg_key_check_check check,
                                 enum msg_key_check_state state, const char *hint,
                                 const char *format, ...)
{
    va_list args;

    memset(out, 0, sizeof *out);
    out->check = check;
    out->state = state;
    out->has_hint = hint && *hint;
    snprintf(out->hint, sizeof out->hint, "%s", hint ? hint : "");
    va_start(args, format);
    vsnprintf(out->message, sizeof out->message, format, args);
    va_end(args);
    return out;
}

#define SAY(test, check, state, hint, ...)                                                         \
    do {                                                                                           \
        if ((test)->count < CHECKS_MAX)                                                            \
            put(&(test)->checks[(test)->count++], MSG_KEY_CHECK_CHECK_##check,                     \
                MSG_KEY_CHECK_STATE_##state, hint, __VA_ARGS__);                                   \
    } while (0)

size_t keytest_judge(const struct key_rights *rights, struct msg_key_check *out)
{
    if (rights->trade)
        put(&out[0], MSG_KEY_CHECK_CHECK_TRADE, MSG_KEY_CHECK_STATE_OK, "", "the key may trade");
    else
        put(&out[0], MSG_KEY_CHECK_CHECK_TRADE, MSG_KEY_CHECK_STATE_FAIL,
            "give it the right to trade spot, at the venue", "the key may not trade");
    if (rights->withdraw)
        put(&out[1], MSG_KEY_CHECK_CHECK_WITHDRAW, MSG_KEY_CHECK_STATE_WARN,
            "make one without that right, at the venue: bots never need it",
            "the key can withdraw money");
    else
        put(&out[1], MSG_KEY_CHECK_CHECK_WITHDRAW, MSG_KEY_CHECK_STATE_OK, "",
            "the key cannot withdraw");
    if (rights->bound)
        put(&out[2], MSG_KEY_CHECK_CHECK_ADDRESS, MSG_KEY_CHECK_STATE_OK, "",
            "the key works from listed addresses only");
    else
        put(&out[2], MSG_KEY_CHECK_CHECK_ADDRESS, MSG_KEY_CHECK_STATE_WARN,
            "bind it to the addresses of your nodes, at the venue",
            "the key works from any address");
    return 3;
}

/* --- the end
 * ------------------------------------------------------------------------------------- */

static struct json_object *result_of(const struct keytest *test)
{
    struct msg_cmd_account_test_result result = { .ok = true };
    struct msg_key_check checks[CHECKS_MAX];
    size_t count = 0;

    snprintf(result.account, sizeof result.account, "%s", test->account);
    snprintf(result.venue, sizeof result.venue, "%s", test->venue_name);
    snprintf(result.node, sizeof result.node, "%s", test->node->config.node);
    for (size_t i = 0; i < test->count; i++)
        result.ok = result.ok && test->checks[i].state != MSG_KEY_CHECK_STATE_FAIL;
    for (size_t i = 0; i < test->count; i++) /* a key that is not taken has no rights to tell of */
        if (result.ok || test->checks[i].state != MSG_KEY_CHECK_STATE_UNKNOWN)
            checks[count++] = test->checks[i];
    result.checks = checks;
    result.checks_count = count;
    return msg_to_tree(&msg_type_cmd_account_test_result, &result);
}

/* Not inside a callback of the connection, which is closed here and answers what is left. */
static void finish(struct keytest *test)
{
    struct keytest **at = &test->node->keytests;
    const struct flt_error none = { 0 };

    test->ending = true;
    if (test->handle)
        test->ops->account_close(test->handle);
    while (*at && *at != test)
        at = &(*at)->next;
    if (*at)
        *at = test->next;
    flt_timer_destroy(test->timer);
    test->done(test->ctx, result_of(test), &none);
    flt_wipe(test->secret, sizeof test->secret);
    free(test);
}

void keytests_destroy(struct botnode *node)
{
    while (node->keytests)
        finish(node->keytests);
}

/* --- asking
 * -------------------------------------------------------------------------------------- */

static void on_balances(void *ctx, const struct exchange_failure *failure,
                        const struct balance *balances, size_t count)
{
    struct keytest *test = ctx;

    (void)balances;
    if (test->ending)
        return;
    test->waiting--;
    if (failure->error == EXCHANGE_OK)
        SAY(test, KEYS, OK, "", "%s takes the keys: %zu balances", test->venue_name, count);
    else if (failure->error == EXCHANGE_AUTH)
        SAY(test, KEYS, FAIL, "compare key and secret with those of the venue",
            "%s does not know this key, or its secret is another: %s", test->venue_name,
            failure->message);
    else if (failure->error == EXCHANGE_PERMISSION)
        SAY(test, KEYS, FAIL, "is it bound to another address, or without the right to read?",
            "%s does not let this key in from here: %s", test->venue_name, failure->message);
    else
        SAY(test, KEYS, FAIL, "try again", "%s: %s", exchange_error_name(failure->error),
            failure->message);
}

static void on_rights(void *ctx, const struct exchange_failure *failure,
                      const struct key_rights *rights)
{
    struct keytest *test = ctx;

    if (test->ending)
        return;
    test->waiting--;
    if (failure->error == EXCHANGE_OK && test->count + 3 <= CHECKS_MAX)
        test->count += keytest_judge(rights, &test->checks[test->count]);
    else
        SAY(test, WITHDRAW, UNKNOWN, "look at the venue that it cannot withdraw",
            "%s did not say what the key may do", test->venue_name);
}

/* The keys go over to the connection, which copies them. */
static int open_handle(struct keytest *test)
{
    const struct exchange_account_events none = { .ctx = test };
    struct exchange_credentials credentials = { 0 };
    struct json_object *tree = flt_json_parse(test->secret, strlen(test->secret), NULL);
    int err;

    flt_json_str(tree, "key", &credentials.key);
    flt_json_str(tree, "secret", &credentials.secret);
    flt_json_str(tree, "private_key_pem", &credentials.private_key_pem);
    flt_json_str(tree, "passphrase", &credentials.passphrase);
    err = tree ? test->ops->account_open(venue_market(test->venue), &credentials, &none,
                                         &test->handle)
               : -EBADMSG;
    json_object_put(tree);
    flt_wipe(test->secret, sizeof test->secret);
    return err;
}

static void say_clock(struct keytest *test)
{
    const int64_t ms =
        test->ops->clock_offset_ms ? test->ops->clock_offset_ms(venue_market(test->venue)) : 0;

    if (ms > CLOCK_WARN_MS || ms < -CLOCK_WARN_MS)
        SAY(test, CLOCK, WARN, "let the node's machine keep time with NTP",
            "the clocks of %s and %s are %" PRId64 " ms apart", test->node->config.node,
            test->venue_name, ms < 0 ? -ms : ms);
    else
        SAY(test, CLOCK, OK, "", "the clocks are %" PRId64 " ms apart", ms < 0 ? -ms : ms);
}

/* The venue is there: open, or ask again for what its rate limit had no room for. */
static void go_on(struct keytest *test)
{
    int err = 0;

    if (!test->opened) {
        size_t count = 0;

        test->ops->instruments(venue_market(test->venue), &count);
        SAY(test, REACH, OK, "", "%s answers: %zu instruments", test->venue_name, count);
        say_clock(test);
        test->opened = true;
        err = open_handle(test);
    }
    if (!err && !test->asked_balances) {
        err = test->ops->balances(test->handle, on_balances, test);
        test->asked_balances = err == 0;
        test->waiting += err == 0;
    }
    if (err >= 0 && !test->asked_rights && test->ops->rights) {
        err = test->ops->rights(test->handle, on_rights, test);
        test->asked_rights = err == 0;
        test->waiting += err == 0;
    } else if (!test->ops->rights) {
        test->asked_rights = true;
    }
    if (err >= 0)
        return;
    SAY(test, KEYS, FAIL, "is it a key of this venue?", "the keys cannot be used: %s",
        strerror(-err));
    test->asked_balances = test->asked_rights = true;
}

static void on_tick(void *ctx)
{
    struct keytest *test = ctx;
    const bool late = flt_mono_ms(test->node->clock) >= test->end_ms;

    if (venue_is_ready(test->venue) && !(test->asked_balances && test->asked_rights))
        go_on(test);
    if (test->asked_balances && test->asked_rights && test->waiting == 0) {
        finish(test);
    } else if (late) {
        if (!test->opened)
            SAY(test, REACH, FAIL, "its network, a firewall, or the venue itself",
                "%s does not answer %s", test->venue_name, test->node->config.node);
        else
            SAY(test, KEYS, FAIL, "try again", "%s did not answer in time", test->venue_name);
        finish(test);
    }
}

int keytest_start(struct botnode *node, const struct msg_cmd_account_test_args *args,
                  keytest_done_fn *done, void *ctx, struct flt_error *error)
{
    struct msg_cmd_account_args box = { .sealed = args->sealed }; /* the same box as of `account` */
    struct keytest *test;
    size_t length = 0, running = 0;
    int err;

    for (const struct keytest *other = node->keytests; other; other = other->next)
        running++;
    if (running >= KEYTESTS_MAX)
        return flt_error_set(error, FLT_RATE_LIMITED, "", "try again in some seconds",
                             "%zu tests of keys are under way", running);
    test = calloc(1, sizeof *test);
    if (!test)
        return -ENOMEM;
    snprintf(box.account, sizeof box.account, "%s", args->account);
    test->ops = exchange_find(args->venue);
    err = test->ops ? venues_get(node->venues, args->venue, &test->venue) : -ENOENT;
    if (err)
        (void)flt_error_set(error, FLT_INVALID_ARGUMENT, "venue",
                            "another node, or an address for it in this node's settings",
                            "%s does not know the venue %s", node->config.node, args->venue);
    if (!err &&
        (err = accounts_open_box(node, &box, test->secret, sizeof test->secret, &length)) != 0)
        (void)flt_error_set(error, FLT_DENIED, "sealed", "the controller should send it again",
                            "the keys are not sealed to this node");
    if (!err)
        err = flt_timer_create(node->loop, on_tick, test, &test->timer);
    if (err) {
        flt_wipe(test->secret, sizeof test->secret);
        free(test);
        return err;
    }
    test->node = node;
    snprintf(test->account, sizeof test->account, "%s", args->account);
    snprintf(test->venue_name, sizeof test->venue_name, "%s", args->venue);
    test->end_ms = flt_mono_ms(node->clock) + LIMIT_MS;
    test->done = done;
    test->ctx = ctx;
    test->next = node->keytests;
    node->keytests = test;
    flt_timer_start(test->timer, 0, TICK_MS);
    return 0;
}
