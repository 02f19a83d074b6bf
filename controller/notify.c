/* Alerts to the outside: posted as JSON to the URLs of the table `notify` when they begin and when
 * they end. A post that fails is tried again with growing pauses, then counted and given up: the
 * alert itself stays where people look. */
#define FLT_MOD "notify"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/alerts.h"
#include "controller/changes.h"
#include "lib/http.h"
#include "lib/ids.h"
#include "lib/log.h"

#define POSTS_MAX 200 /* under way or waiting; more are dropped and counted as failed */
#define TRIES 5
#define PAUSE_MS 1000 /* doubled for each further try */
#define TIMEOUT_MS 5000

struct post {
    struct post *next;
    struct notifier *notifier;
    char name[FLT_NAME_MAX], url[256];
    char *body;
    size_t size;
    unsigned tries;
    struct flt_timer *timer;
    struct request *request; /* of notify-test, else NULL */
};

struct notifier {
    struct controller *controller;
    struct flt_http *http;
    struct post *posts;
    size_t count;
};

static void post_free(struct post *post)
{
    struct post **place = &post->notifier->posts;

    while (*place && *place != post)
        place = &(*place)->next;
    if (*place)
        *place = post->next;
    post->notifier->count--;
    flt_timer_destroy(post->timer);
    free(post->body);
    free(post);
}

static void count_post(struct controller *controller, const char *name, bool ok, const char *why)
{
    struct store *store = &controller->store;
    sqlite3_stmt *stmt = store_write(store, "UPDATE notify SET sent = sent + ?1, failed = failed +"
                                            " ?2, last_ms = ?3, last_error = ?4 WHERE name = ?5");

    flt_db_bind_int(stmt, 1, ok);
    flt_db_bind_int(stmt, 2, !ok);
    flt_db_bind_int(stmt, 3, controller_now_ms(controller));
    flt_db_bind_str(stmt, 4, why);
    flt_db_bind_str(stmt, 5, name);
    controller_check(controller, store_run(store, stmt));
}

static void answer_test(const struct post *post, int status, const char *why)
{
    struct msg_notify_test_result out = { .status = status };
    struct flt_error error = { 0 };

    if (!post->request)
        return;
    snprintf(out.name, sizeof out.name, "%s", post->name);
    if (why[0])
        (void)flt_error_set(&error, FLT_UNAVAILABLE, "name", "see its URL with notify-ls",
                            "%s did not take it: %s", post->name, why);
    if (why[0])
        request_refuse(post->request, &error);
    else
        request_answer(post->request, &out);
}

static void send_post(void *ctx);

static void on_answer(void *ctx, const struct flt_http_response *response)
{
    struct post *post = ctx;
    struct controller *controller = post->notifier->controller;
    char why[128] = "";

    if (response->outcome == FLT_HTTP_CANCELLED) {
        free(post->request);
        post_free(post);
        return;
    }
    if (response->outcome != FLT_HTTP_DONE)
        snprintf(why, sizeof why, "%.127s", response->reason);
    else if (response->status < 200 || response->status > 299)
        snprintf(why, sizeof why, "HTTP status %d", response->status);
    /* A webhook that got it twice shows an alert twice; one that never got it shows nothing. */
    if (why[0] && ++post->tries < TRIES && !post->request) {
        flt_timer_start(post->timer, PAUSE_MS << post->tries, 0);
        return;
    }
    if (why[0])
        FLT_LOG(WARN, "notify_failed", "name=%s tries=%u", post->name, post->tries);
    count_post(controller, post->name, !why[0], why);
    answer_test(post, response->status, why);
    post_free(post);
}

static void send_post(void *ctx)
{
    struct post *post = ctx;
    static const char *const headers[] = { "Content-Type: application/json",
                                           "User-Agent: flotilla/" FLT_VERSION, NULL };
    const struct flt_http_request request = { .method = "POST",
                                              .url = post->url,
                                              .headers = headers,
                                              .body = post->body,
                                              .body_size = post->size,
                                              .timeout_ms = TIMEOUT_MS,
                                              .response_bytes_max = 65536 };

    if (flt_http_send(post->notifier->http, &request, on_answer, post, NULL) == 0)
        return;
    count_post(post->notifier->controller, post->name, false, "it could not be sent");
    answer_test(post, 0, "it could not be sent");
    post_free(post);
}

static int post_to(struct notifier *notifier, const char *name, const char *url, const char *body,
                   size_t size, struct request *request)
{
    struct post *post = notifier->count < POSTS_MAX ? calloc(1, sizeof *post) : NULL;

    if (!post)
        return -ENOMEM;
    post->notifier = notifier;
    post->next = notifier->posts;
    notifier->posts = post;
    notifier->count++;
    snprintf(post->name, sizeof post->name, "%s", name);
    snprintf(post->url, sizeof post->url, "%s", url);
    post->body = strndup(body, size);
    post->size = size;
    post->request = request;
    if (!post->body ||
        flt_timer_create(notifier->controller->loop, send_post, post, &post->timer) != 0) {
        post_free(post);
        return -ENOMEM;
    }
    send_post(post);
    return 0;
}

/* The alert as people read it, and as chat programs take it: `text` is what Slack, Mattermost and
 * Discord (with /slack) show. */
static void write_body(struct controller *controller, struct flt_buf *buf,
                       const struct msg_ui_alert *alert)
{
    char text[400];

    snprintf(text, sizeof text, "[%s] %s%s", msg_severity_name(alert->severity),
             alert->cleared ? "over: " : "", alert->message);
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "text", text);
    flt_jw_str(buf, "tenant", controller->config.tenant);
    flt_jw_str(buf, "alert", alert->alert);
    flt_jw_str(buf, "severity", msg_severity_name(alert->severity));
    flt_jw_str(buf, "code", alert->code);
    flt_jw_str(buf, "target", alert->target);
    flt_jw_str(buf, "message", alert->message);
    flt_jw_int(buf, "since_ms", alert->since_ms);
    flt_jw_bool(buf, "cleared", alert->cleared);
    flt_jw_int(buf, "number", alert->number);
    flt_jw_end(buf, '}');
}

void notify_alert(struct controller *controller, const struct msg_ui_alert *alert)
{
    struct store *store = &controller->store;
    struct flt_buf body = FLT_BUF_INIT;
    sqlite3_stmt *stmt;

    if (!controller->notifier || controller->stopping)
        return;
    write_body(controller, &body, alert);
    stmt = store_read(store, "SELECT name, url, severity FROM notify ORDER BY name");
    while (!body.failed && store_next(store, stmt)) {
        unsigned least = 0;

        (void)msg_enum_parse(&msg_enum_severity, flt_db_str(stmt, 2), &least);
        if ((unsigned)alert->severity >= least &&
            post_to(controller->notifier, flt_db_str(stmt, 0), flt_db_str(stmt, 1), body.data,
                    body.length, NULL) != 0)
            FLT_LOG(WARN, "notify_dropped", "name=%s alert=%s", flt_db_str(stmt, 0), alert->alert);
    }
    flt_buf_finish(&body);
}

int notify_create(struct controller *controller)
{
    const struct flt_http_config config = { .max_connections_per_host = 2 };
    struct notifier *notifier = calloc(1, sizeof *notifier);
    const int err =
        notifier ? flt_http_create(controller->loop, &config, &notifier->http) : -ENOMEM;

    if (err) {
        free(notifier);
        return err;
    }
    notifier->controller = controller;
    controller->notifier = notifier;
    return 0;
}

void notify_destroy(struct controller *controller)
{
    struct notifier *notifier = controller->notifier;

    if (!notifier)
        return;
    flt_http_destroy(notifier->http); /* those under way end with CANCELLED */
    while (notifier->posts) {         /* those that wait for their next try */
        free(notifier->posts->request);
        post_free(notifier->posts);
    }
    free(notifier);
    controller->notifier = NULL;
}

/* --- verbs
 * ------------------------------------------------------------------------------------------ */

static bool is_here(const char *url)
{
    static const char *const begins[] = { "http://127.0.0.1:", "http://127.0.0.1/",
                                          "http://[::1]:",     "http://[::1]/",
                                          "http://localhost:", "http://localhost/" };

    for (size_t i = 0; i < FLT_COUNT(begins); i++)
        if (strncmp(url, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

static int check_url(const char *url, struct flt_error *error)
{
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c == '"' || *c == '\x7f')
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "url", "percent-encode it",
                                 "a URL has no spaces or control characters");
    if ((strncmp(url, "https://", 8) == 0 && url[8]) || is_here(url))
        return 0;
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "url",
                         "use https://, or http:// to this machine",
                         "alerts are not sent over the network in the clear");
}

#define NOTIFY_COLUMNS "SELECT name, url, severity, sent, failed, last_ms, last_error FROM notify"

static void read_notify(sqlite3_stmt *stmt, struct msg_notify_row *row)
{
    unsigned severity = 0;

    flt_db_copy(stmt, 0, row->name, sizeof row->name);
    flt_db_copy(stmt, 1, row->url, sizeof row->url);
    (void)msg_enum_parse(&msg_enum_severity, flt_db_str(stmt, 2), &severity);
    row->severity = (enum msg_severity)severity;
    row->sent = flt_db_int(stmt, 3);
    row->failed = flt_db_int(stmt, 4);
    row->last_ms = flt_db_int(stmt, 5);
    row->has_last_ms = row->last_ms > 0;
    flt_db_copy(stmt, 6, row->last_error, sizeof row->last_error);
    row->has_last_error = row->last_error[0] != '\0';
}

static int find_notify(struct request *request, const char *name, struct msg_notify_row *row,
                       struct flt_error *error)
{
    struct store *store = &request->controller->store;
    sqlite3_stmt *stmt = store_read(store, NOTIFY_COLUMNS " WHERE name = ?");

    flt_db_bind_str(stmt, 1, name);
    if (!store_next(store, stmt))
        return flt_error_set(error, FLT_NOT_FOUND, "name", "list them with notify-ls",
                             "alerts are not posted to %s", name);
    read_notify(stmt, row);
    sqlite3_reset(stmt);
    return 0;
}

HANDLER(verb_notify_add)
{
    const struct msg_notify_add_args *in = args;
    struct msg_notify_add_result *out = result;
    struct store *store = &request->controller->store;
    const enum msg_severity least = in->has_severity ? in->severity : MSG_SEVERITY_WARNING;
    struct msg_notify_row old = { 0 };
    const int err = check_url(in->url, error);
    const bool existed = !err && find_notify(request, in->name, &old, NULL) == 0;
    sqlite3_stmt *stmt;

    if (err)
        return err;
    stmt = store_write(store, "INSERT INTO notify (name, url, severity) VALUES (?, ?, ?) ON"
                              " CONFLICT (name) DO UPDATE SET url = excluded.url, severity ="
                              " excluded.severity");
    flt_db_bind_str(stmt, 1, in->name);
    flt_db_bind_str(stmt, 2, in->url);
    flt_db_bind_str(stmt, 3, msg_severity_name(least));
    controller_check(request->controller, store_run(store, stmt));
    request_changed(request, NULL, "posts from", existed ? msg_severity_name(old.severity) : NULL,
                    msg_severity_name(least));
    return find_notify(request, in->name, &out->row, error);
}

HANDLER(verb_notify_ls)
{
    struct msg_notify_ls_result *out = result;
    struct store *store = &request->controller->store;
    sqlite3_stmt *stmt = store_read(store, NOTIFY_COLUMNS " ORDER BY name");

    (void)args;
    (void)error;
    while (store_next(store, stmt)) {
        struct msg_notify_row *grown =
            realloc(out->items, (out->items_count + 1) * sizeof *out->items);

        if (!grown) {
            sqlite3_reset(stmt);
            return -ENOMEM;
        }
        out->items = grown;
        memset(&grown[out->items_count], 0, sizeof *grown);
        read_notify(stmt, &grown[out->items_count++]);
    }
    return 0;
}

HANDLER(verb_notify_rm)
{
    const struct msg_notify_rm_args *in = args;
    struct msg_notify_rm_result *out = result;
    struct store *store = &request->controller->store;
    struct msg_notify_row row = { 0 };
    const int err = find_notify(request, in->name, &row, error);
    sqlite3_stmt *stmt;

    if (err)
        return err;
    stmt = store_write(store, "DELETE FROM notify WHERE name = ?");
    flt_db_bind_str(stmt, 1, in->name);
    controller_check(request->controller, store_run(store, stmt));
    request_changed(request, NULL, "posts from", msg_severity_name(row.severity), NULL);
    snprintf(out->name, sizeof out->name, "%s", in->name);
    return 0;
}

HANDLER(verb_notify_test)
{
    const struct msg_notify_test_args *in = args;
    struct controller *controller = request->controller;
    struct msg_ui_alert alert = { .severity = MSG_SEVERITY_INFO,
                                  .alert = "test",
                                  .code = "test",
                                  .message = "a test: alerts of the fleet will come here" };
    struct msg_notify_row row = { 0 };
    struct flt_buf body = FLT_BUF_INIT;
    struct request *kept;
    int err = find_notify(request, in->name, &row, error);

    (void)result;
    if (err)
        return err;
    alert.since_ms = controller_now_ms(controller);
    write_body(controller, &body, &alert);
    kept = request_keep(request);
    err = kept && !body.failed
              ? post_to(controller->notifier, row.name, row.url, body.data, body.length, kept)
              : -ENOMEM;
    if (err)
        free(kept);
    flt_buf_finish(&body);
    return err ? err : REQUEST_LATER;
}
