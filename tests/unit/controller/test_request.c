/* What a request changes and who asked for it are one transaction, against a real database file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include "controller/request.h"
#include "tests/unit/controller/temp_store.h"

struct world {
    struct temp_store temp;
    struct controller controller;
    struct request request;
};

static int setup(void **ctx)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->controller.clock = flt_clock_system();
    assert_int_equal(temp_store_open(&w->temp, &w->controller.store), 0);
    w->request = (struct request){ .controller = &w->controller, .user = "ada", .id = "1" };
    w->request.verb = msg_verb_find("bot-pause");
    assert_non_null(w->request.verb);
    *ctx = w;
    return 0;
}

static int teardown(void **ctx)
{
    struct world *w = *ctx;

    store_close(&w->controller.store);
    temp_store_remove(&w->temp);
    free(w);
    return 0;
}

/* What would be found after kill -9: another connection sees only what was committed. */
static int64_t found(const struct world *w, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int64_t number;

    assert_int_equal(sqlite3_open_v2(w->temp.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

#define AUDITED "SELECT count(*) FROM audit WHERE user = 'ada' AND verb = 'bot-pause' AND ok"

static void change(struct world *w)
{
    assert_int_equal(store_set_meta_int(&w->controller.store, "changed", 1), 0);
}

static void a_handlers_own_commit_has_its_audit(void **ctx)
{
    struct world *w = *ctx;

    w->controller.request = &w->request;
    change(w);
    assert_int_equal(found(w, AUDITED), 0);
    assert_true(controller_commit(&w->controller));
    assert_int_equal(found(w, "SELECT count(*) FROM meta WHERE key = 'changed'"), 1);
    assert_int_equal(found(w, AUDITED), 1);
    change(w);
    assert_true(controller_commit(&w->controller)); /* some commit twice */
    assert_int_equal(found(w, AUDITED), 1);
}

static void what_ends_later_is_audited_at_its_end(void **ctx)
{
    struct world *w = *ctx;
    struct request *kept;

    w->controller.request = &w->request;
    kept = request_keep(&w->request);
    assert_non_null(kept);
    change(w);
    assert_true(controller_commit(&w->controller));
    assert_int_equal(found(w, AUDITED), 0);
    free(kept);
}

static void what_only_reads_is_not_audited(void **ctx)
{
    struct world *w = *ctx;

    w->request.verb = msg_verb_find("bot-ls");
    w->controller.request = &w->request;
    change(w);
    assert_true(controller_commit(&w->controller));
    assert_int_equal(found(w, "SELECT count(*) FROM audit"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_handlers_own_commit_has_its_audit, setup, teardown),
        cmocka_unit_test_setup_teardown(what_ends_later_is_audited_at_its_end, setup, teardown),
        cmocka_unit_test_setup_teardown(what_only_reads_is_not_audited, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
