#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define FLT_MOD "test_db"
#include "lib/config.h"
#include "lib/db.h"

#define OURS 0x464c5401
#define OTHERS 0x464c5402

static const struct flt_migration migrations[] = {
    { 1,
      "CREATE TABLE fill(id INTEGER PRIMARY KEY, bot TEXT NOT NULL, price TEXT NOT NULL, qty TEXT,"
      " UNIQUE(bot, id)); CREATE INDEX fill_bot ON fill(bot);" },
    { 2, "ALTER TABLE fill ADD COLUMN fee TEXT" },
};

static char folder[64], path[96];

static int make_folder(void **ctx)
{
    (void)ctx;
    (void)snprintf(folder, sizeof folder, "/tmp/test_db.XXXXXX");
    flt_log_set_level(FLT_LOG_OFF);
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/x.db", folder);
    return 0;
}

static int remove_folder(void **ctx)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    char name[112];

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(ends); i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    flt_log_set_level(FLT_LOG_INFO);
    return rmdir(folder);
}

static struct flt_db *open_ours(void)
{
    struct flt_db *db = NULL;

    assert_int_equal(flt_db_open(path, OURS, migrations, 2, NULL, &db), 0);
    return db;
}

static int insert(struct flt_db *db, int64_t id, const char *bot, struct flt_dec price)
{
    sqlite3_stmt *const stmt =
        flt_db_stmt(db, "INSERT INTO fill(id, bot, price, qty, fee) VALUES(?,?,?,?,?)");

    flt_db_bind_int(stmt, 1, id);
    flt_db_bind_str(stmt, 2, bot);
    flt_db_bind_dec(stmt, 3, price);
    flt_db_bind_str(stmt, 4, NULL);
    flt_db_bind_amt(stmt, 5, flt_amt_parse("0.000000000000000001"));
    return flt_db_step(db, stmt);
}

static int64_t count_rows(struct flt_db *db)
{
    sqlite3_stmt *const stmt = flt_db_stmt(db, "SELECT count(*) FROM fill");

    assert_int_equal(flt_db_step(db, stmt), FLT_DB_ROW);
    const int64_t count = flt_db_int(stmt, 0);
    assert_int_equal(flt_db_step(db, stmt), 0);
    return count;
}

static void rows_come_back_with_their_exact_values(void **ctx)
{
    struct flt_db *db = open_ours();
    char text[FLT_AMT_TEXT_MAX], cut[4];

    (void)ctx;
    assert_int_equal(insert(db, 1, "grid-1", flt_dec_parse("64123.10")), 0);
    flt_db_close(db);
    db = open_ours();
    sqlite3_stmt *const stmt = flt_db_stmt(db, "SELECT bot, price, qty, fee, id FROM fill");
    assert_int_equal(flt_db_step(db, stmt), FLT_DB_ROW);
    assert_string_equal(flt_db_str(stmt, 0), "grid-1");
    assert_string_equal(flt_db_str(stmt, 1), "64123.1");
    assert_string_equal(flt_dec_format(flt_db_dec(stmt, 1), text), "64123.1");
    assert_string_equal(flt_db_str(stmt, 2), "");
    assert_false(flt_dec_ok(flt_db_dec(stmt, 2)));
    assert_string_equal(flt_amt_format(flt_db_amt(stmt, 3), text), "0.000000000000000001");
    assert_int_equal(flt_db_int(stmt, 4), 1);
    flt_db_copy(stmt, 0, cut, sizeof cut);
    assert_string_equal(cut, "gri");
    assert_int_equal(flt_db_step(db, stmt), 0);
    flt_db_close(db);
}

static void it_is_opened_durable_and_private(void **ctx)
{
    static const char *const rows[][2] = {
        { "PRAGMA journal_mode", "wal" },
        { "PRAGMA synchronous", "2" },
        { "PRAGMA foreign_keys", "1" },
        { "PRAGMA user_version", "2" },
    };
    struct flt_db *const db = open_ours();
    struct stat info;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        sqlite3_stmt *const stmt = flt_db_stmt(db, rows[i][0]);

        assert_int_equal(flt_db_step(db, stmt), FLT_DB_ROW);
        assert_string_equal(flt_db_str(stmt, 0), rows[i][1]);
        (void)sqlite3_reset(stmt);
    }
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    flt_db_close(db);
    flt_db_close(NULL);
}

static void a_key_that_is_there_is_an_outcome(void **ctx)
{
    struct flt_db *const db = open_ours();

    (void)ctx;
    assert_int_equal(insert(db, 1, "a", flt_dec_from_int(1)), 0);
    assert_int_equal(insert(db, 1, "b", flt_dec_from_int(1)), -EEXIST);
    assert_int_equal(insert(db, 2, "b", FLT_DEC_BAD), -EINVAL); /* NOT NULL keeps bad numbers out */
    assert_int_equal(insert(db, 2, NULL, flt_dec_from_int(1)), -EINVAL);
    assert_int_equal(insert(db, 2, "b", flt_dec_from_int(1)), 0);
    assert_int_equal(count_rows(db), 2);
    assert_null(flt_db_stmt(db, "SELECT nonsense FROM nowhere"));
    assert_true(flt_db_step(db, NULL) < 0);
    flt_db_close(db);
}

static void a_transaction_is_kept_or_undone_whole(void **ctx)
{
    struct flt_db *const db = open_ours();

    (void)ctx;
    assert_int_equal(flt_db_begin(db), 0);
    assert_int_equal(insert(db, 1, "a", flt_dec_from_int(1)), 0);
    flt_db_rollback(db);
    flt_db_rollback(db); /* none open: nothing happens */
    assert_int_equal(count_rows(db), 0);
    assert_int_equal(flt_db_begin(db), 0);
    assert_int_equal(insert(db, 1, "a", flt_dec_from_int(1)), 0);
    assert_int_equal(flt_db_commit(db), 0);
    assert_int_equal(count_rows(db), 1);
    assert_true(flt_db_commit(db) < 0);
    flt_db_close(db);
}

static void a_statement_is_prepared_once_per_literal(void **ctx)
{
    static char many[300][32];
    struct flt_db *const db = open_ours();
    sqlite3_stmt *const first = flt_db_stmt(db, "SELECT 1");

    (void)ctx;
    for (int i = 0; i < 300; i++) {
        (void)snprintf(many[i], sizeof many[i], "SELECT %d", i);
        assert_non_null(flt_db_stmt(db, many[i]));
    }
    for (int i = 0; i < 300; i++) { /* after the table grew */
        sqlite3_stmt *const stmt = flt_db_stmt(db, many[i]);

        assert_int_equal(flt_db_step(db, stmt), FLT_DB_ROW);
        assert_int_equal(flt_db_int(stmt, 0), i);
    }
    assert_int_equal(flt_db_step(db, first), FLT_DB_ROW);
    flt_db_close(db);
}

static void only_what_is_due_is_migrated(void **ctx)
{
    struct flt_db *db = NULL;

    (void)ctx;
    assert_int_equal(flt_db_open(path, OURS, migrations, 1, NULL, &db), 0);
    assert_int_equal(flt_db_exec(db, "INSERT INTO fill(bot, price) VALUES('a', '1')"), 0);
    flt_db_close(db);
    db = open_ours();
    assert_int_equal(count_rows(db), 1);
    assert_int_equal(flt_db_exec(db, "UPDATE fill SET fee='0'"), 0);
    flt_db_close(db);
}

static void a_migration_that_fails_changes_nothing(void **ctx)
{
    const struct flt_migration broken[] = { migrations[0], { 2, "CREATE TABLE extra(x); oops" } };
    struct flt_db *db = NULL;
    struct flt_error error = { 0 };

    (void)ctx;
    assert_int_equal(flt_db_open(path, OURS, migrations, 1, NULL, &db), 0);
    flt_db_close(db);
    db = NULL;
    assert_true(flt_db_open(path, OURS, broken, 2, &error, &db) < 0);
    assert_null(db);
    assert_non_null(strstr(error.message, "syntax error"));
    db = open_ours();
    assert_int_equal(flt_db_exec(db, "CREATE TABLE extra(x)"), 0); /* so it was not there */
    flt_db_close(db);
}

static void refused(int32_t id, size_t count, int err, const char *word)
{
    struct flt_db *db = NULL;
    struct flt_error error = { 0 };
    size_t before_size = 0, after_size = 0;
    char *const before = flt_file_read(path, 1 << 24, &before_size);

    assert_int_equal(flt_db_open(path, id, migrations, count, &error, &db), err);
    assert_null(db);
    char *const after = flt_file_read(path, 1 << 24, &after_size);
    if (!strstr(error.message, word) || !strstr(error.message, path))
        fail_msg("\"%s\" does not say \"%s\"", error.message, word);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, before_size);
    free(before);
    free(after);
}

static void a_newer_file_is_left_alone(void **ctx)
{
    (void)ctx;
    flt_db_close(open_ours());
    refused(OURS, 1, -EPROTO, "newer version (schema 2, this program knows 1)");
}

static void a_file_of_another_kind_is_left_alone(void **ctx)
{
    sqlite3 *foreign = NULL;

    (void)ctx;
    flt_db_close(open_ours());
    refused(OTHERS, 2, -EBADMSG, "another kind");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(sqlite3_open(path, &foreign), SQLITE_OK);
    assert_int_equal(sqlite3_exec(foreign, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(foreign), SQLITE_OK);
    refused(OURS, 2, -EBADMSG, "another kind");
}

static void a_damaged_file_is_left_alone(void **ctx)
{
    struct flt_db *const db = open_ours();
    char garbage[2048];

    (void)ctx;
    for (int i = 0; i < 500; i++)
        assert_int_equal(insert(db, i, "a-bot-with-a-name", flt_dec_from_int(i)), 0);
    flt_db_close(db);
    memset(garbage, 0xa5, sizeof garbage);
    FILE *const file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 3 * 4096, SEEK_SET), 0);
    assert_int_equal(fwrite(garbage, 1, sizeof garbage, file), sizeof garbage);
    assert_int_equal(fclose(file), 0);
    refused(OURS, 2, -EBADMSG, "damaged");
}

static void what_is_no_database_is_left_alone(void **ctx)
{
    char text[300];

    (void)ctx;
    memset(text, 'x', sizeof text);
    assert_int_equal(flt_file_write(path, text, sizeof text, 0600), 0);
    refused(OURS, 2, -EBADMSG, "not a database");
    assert_int_equal(flt_file_write(path, "SQLite format 3", 16, 0600), 0); /* cut off */
    refused(OURS, 2, -EBADMSG, "not a database");
}

static void an_empty_file_is_a_new_database(void **ctx)
{
    (void)ctx;
    assert_int_equal(flt_file_write(path, "", 0, 0600), 0);
    struct flt_db *const db = open_ours();
    assert_int_equal(count_rows(db), 0);
    flt_db_close(db);
}

static void a_missing_folder_is_one_sentence(void **ctx)
{
    struct flt_db *db = NULL;
    struct flt_error error = { 0 };

    (void)ctx;
    assert_int_equal(flt_db_open("/nowhere/x.db", OURS, migrations, 2, &error, &db), -ENOENT);
    assert_string_equal(error.message, "/nowhere/x.db cannot be opened: No such file or directory");
}

static void a_full_disk_is_known_and_undone(void **ctx)
{
    struct flt_db *const db = open_ours();
    int err = 0, id = 0;

    (void)ctx;
    assert_int_equal(flt_db_exec(db, "PRAGMA max_page_count=20"), 0); /* SQLite's own full disk */
    assert_int_equal(flt_db_begin(db), 0);
    for (; !err && id < 10000; id++)
        err = insert(db, id, "a-bot-with-a-name", flt_dec_from_int(id));
    assert_int_equal(err, -ENOSPC);
    flt_db_rollback(db);
    assert_int_equal(count_rows(db), 0);
    assert_int_equal(insert(db, 1, "a", flt_dec_from_int(1)), 0);
    flt_db_close(db);
}

static void a_reader_reads_and_never_writes(void **ctx)
{
    struct flt_db *const db = open_ours(), *reader = NULL;
    struct flt_error error = { 0 };

    (void)ctx;
    assert_int_equal(insert(db, 1, "a", flt_dec_from_int(1)), 0);
    assert_int_equal(flt_db_open_readonly(path, OURS, NULL, &reader), 0);
    assert_int_equal(count_rows(reader), 1);
    assert_int_equal(flt_db_exec(reader, "DELETE FROM fill"), -EACCES);
    flt_db_close(reader);
    assert_int_equal(flt_db_open_readonly(path, OTHERS, &error, &reader), -EBADMSG);
    flt_db_close(db);
    assert_int_equal(flt_db_open_readonly("/nowhere/x.db", OURS, NULL, &reader), -ENOENT);
}

static void a_writer_beside_us_makes_us_busy(void **ctx)
{
    struct flt_db *const one = open_ours(), *const two = open_ours();

    (void)ctx;
    assert_int_equal(sqlite3_busy_timeout(flt_db_handle(two), 1), SQLITE_OK);
    assert_int_equal(flt_db_begin(one), 0);
    assert_int_equal(flt_db_begin(two), -EBUSY);
    assert_int_equal(flt_db_commit(one), 0);
    assert_int_equal(flt_db_begin(two), 0);
    assert_int_equal(flt_db_commit(two), 0);
    flt_db_close(one);
    flt_db_close(two);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(rows_come_back_with_their_exact_values),
        IN_FOLDER(it_is_opened_durable_and_private),
        IN_FOLDER(a_key_that_is_there_is_an_outcome),
        IN_FOLDER(a_transaction_is_kept_or_undone_whole),
        IN_FOLDER(a_statement_is_prepared_once_per_literal),
        IN_FOLDER(only_what_is_due_is_migrated),
        IN_FOLDER(a_migration_that_fails_changes_nothing),
        IN_FOLDER(a_newer_file_is_left_alone),
        IN_FOLDER(a_file_of_another_kind_is_left_alone),
        IN_FOLDER(a_damaged_file_is_left_alone),
        IN_FOLDER(what_is_no_database_is_left_alone),
        IN_FOLDER(an_empty_file_is_a_new_database),
        IN_FOLDER(a_missing_folder_is_one_sentence),
        IN_FOLDER(a_full_disk_is_known_and_undone),
        IN_FOLDER(a_reader_reads_and_never_writes),
        IN_FOLDER(a_writer_beside_us_makes_us_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
