#define FLT_MOD "ledger"
#include "exchanges/sim/ledger.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/db.h"

#define APPLICATION_ID 0x464c5349 /* "FLSI" */
#define DIRTY_MAX 4096

static const struct flt_migration migrations[] = {
    { 1,
      "CREATE TABLE accounts(id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL);"
      "CREATE TABLE balances(account INTEGER NOT NULL, asset TEXT NOT NULL, free TEXT NOT NULL,"
      " locked TEXT NOT NULL, PRIMARY KEY(account, asset)) WITHOUT ROWID;"
      "CREATE TABLE orders(id INTEGER PRIMARY KEY, account INTEGER NOT NULL, symbol TEXT NOT NULL,"
      " client_order_id TEXT NOT NULL, cancel_id TEXT NOT NULL, side TEXT NOT NULL,"
      " type INTEGER NOT NULL, tif INTEGER NOT NULL, stp INTEGER NOT NULL, status INTEGER NOT NULL,"
      " price TEXT NOT NULL, qty TEXT NOT NULL, filled TEXT NOT NULL, cost TEXT NOT NULL,"
      " quote_qty TEXT NOT NULL, locked TEXT NOT NULL, time_ms INTEGER NOT NULL,"
      " update_ms INTEGER NOT NULL);"
      "CREATE TABLE fills(n INTEGER PRIMARY KEY, trade_id INTEGER NOT NULL,"
      " order_id INTEGER NOT NULL, price TEXT NOT NULL, qty TEXT NOT NULL, fee TEXT NOT NULL,"
      " fee_asset TEXT NOT NULL, maker INTEGER NOT NULL, time_ms INTEGER NOT NULL);" },
    { 2, "CREATE TABLE sources(symbol TEXT PRIMARY KEY, spec TEXT NOT NULL,"
         " position_ms INTEGER NOT NULL) WITHOUT ROWID;" },
};

struct sim_ledger {
    struct flt_db *db;
    struct sim_order *orders[DIRTY_MAX]; /* changed in this turn */
    size_t order_count;
    struct sim_account *accounts[64];
    size_t account_count;
    bool begun;
};

static void must(int err, const char *what)
{
    if (err >= 0)
        return;
    FLT_LOG(ERROR, "ledger_lost", "what=%s err=%d", what, err);
    fprintf(stderr,
            "flotilla-sim: the ledger cannot be written (%s: %s); ending, so that nobody is "
            "told what it does not hold.\n",
            what, strerror(-err));
    _Exit(1);
}

int sim_ledger_open(const char *path, struct flt_error *error, struct sim_ledger **out)
{
    struct sim_ledger *ledger = calloc(1, sizeof *ledger);

    if (!ledger)
        return -ENOMEM;
    int err =
        flt_db_open(path, APPLICATION_ID, migrations, FLT_COUNT(migrations), error, &ledger->db);

    /* kill -9 loses nothing with NORMAL in WAL mode; a power loss is no case of a simulator. */
    if (!err)
        err = flt_db_exec(ledger->db, "PRAGMA synchronous=NORMAL");
    if (err) {
        sim_ledger_close(ledger);
        return err;
    }
    *out = ledger;
    return 0;
}

void sim_ledger_close(struct sim_ledger *ledger)
{
    if (!ledger)
        return;
    (void)sim_ledger_commit(ledger);
    flt_db_close(ledger->db);
    free(ledger);
}

static void begin(struct sim_ledger *ledger)
{
    if (ledger->begun)
        return;
    must(flt_db_begin(ledger->db), "begin");
    ledger->begun = true;
}

bool sim_ledger_has_account(struct sim_ledger *ledger, const char *key)
{
    sqlite3_stmt *stmt = flt_db_stmt(ledger->db, "SELECT id FROM accounts WHERE key = ?");

    flt_db_bind_str(stmt, 1, key);
    const bool there = flt_db_step(ledger->db, stmt) == FLT_DB_ROW;

    sqlite3_reset(stmt);
    return there;
}

/* --- writing ------------------------------------------------------------------------------------
 */

static void write_order(struct sim_ledger *ledger, struct sim_order *order)
{
    const struct instrument *instrument = &order->market->instrument;
    sqlite3_stmt *stmt = flt_db_stmt(
        ledger->db, "INSERT INTO orders VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON "
                    "CONFLICT(id) DO UPDATE SET"
                    " cancel_id=excluded.cancel_id, status=excluded.status, qty=excluded.qty,"
                    " filled=excluded.filled, cost=excluded.cost, locked=excluded.locked,"
                    " update_ms=excluded.update_ms");

    order->dirty = false;
    flt_db_bind_int(stmt, 1, order->order_id);
    flt_db_bind_int(stmt, 2, (int64_t)order->account->index);
    flt_db_bind_str(stmt, 3, instrument->venue_symbol);
    flt_db_bind_str(stmt, 4, order->client_id);
    flt_db_bind_str(stmt, 5, order->cancel_id);
    flt_db_bind_str(stmt, 6, sim_side_name(order->side));
    flt_db_bind_int(stmt, 7, order->type);
    flt_db_bind_int(stmt, 8, order->tif);
    flt_db_bind_int(stmt, 9, order->stp);
    flt_db_bind_int(stmt, 10, order->status);
    flt_db_bind_dec(stmt, 11, ticks_to_price(instrument, order->price_ticks));
    flt_db_bind_dec(stmt, 12, lots_to_qty(instrument, order->qty_lots));
    flt_db_bind_dec(stmt, 13, lots_to_qty(instrument, order->filled_lots));
    flt_db_bind_amt(stmt, 14, sim_cost_amt(order->market, order->cost));
    flt_db_bind_amt(stmt, 15, order->quote_qty);
    flt_db_bind_amt(stmt, 16, order->lock);
    flt_db_bind_int(stmt, 17, order->time_ms);
    flt_db_bind_int(stmt, 18, order->update_ms);
    must(flt_db_step(ledger->db, stmt), "order");
}

static void write_balances(struct sim_ledger *ledger, const struct sim_account *account)
{
    sqlite3_stmt *stmt = flt_db_stmt(ledger->db, "INSERT OR REPLACE INTO balances VALUES(?,?,?,?)");

    for (size_t i = 0; i < funds_count(account->funds); i++) {
        const struct balance *balance = funds_at(account->funds, i);

        flt_db_bind_int(stmt, 1, (int64_t)account->index);
        flt_db_bind_str(stmt, 2, balance->asset);
        flt_db_bind_amt(stmt, 3, balance->free);
        flt_db_bind_amt(stmt, 4, balance->locked);
        must(flt_db_step(ledger->db, stmt), "balance");
        stmt = flt_db_stmt(ledger->db, "INSERT OR REPLACE INTO balances VALUES(?,?,?,?)");
    }
}

void sim_ledger_order(struct sim_ledger *ledger, struct sim_order *order)
{
    if (!ledger || order->dirty)
        return;
    if (ledger->order_count == DIRTY_MAX) {
        begin(ledger);
        for (size_t i = 0; i < ledger->order_count; i++)
            write_order(ledger, ledger->orders[i]);
        ledger->order_count = 0;
    }
    order->dirty = true;
    ledger->orders[ledger->order_count++] = order;
}

void sim_ledger_balances(struct sim_ledger *ledger, struct sim_account *account)
{
    if (!ledger)
        return;
    for (size_t i = 0; i < ledger->account_count; i++)
        if (ledger->accounts[i] == account)
            return;
    if (ledger->account_count == FLT_COUNT(ledger->accounts)) {
        begin(ledger);
        for (size_t i = 0; i < ledger->account_count; i++)
            write_balances(ledger, ledger->accounts[i]);
        ledger->account_count = 0;
    }
    ledger->accounts[ledger->account_count++] = account;
}

void sim_ledger_fill(struct sim_ledger *ledger, const struct sim *sim, size_t index)
{
    if (!ledger)
        return;
    const struct sim_fill *fill = &sim->fills[index];
    const struct sim_order *order = sim->orders[fill->order_id - 1];
    const struct instrument *instrument = &order->market->instrument;

    begin(ledger);
    sqlite3_stmt *stmt = flt_db_stmt(ledger->db, "INSERT INTO fills VALUES(?,?,?,?,?,?,?,?,?)");

    flt_db_bind_int(stmt, 1, (int64_t)index + 1);
    flt_db_bind_int(stmt, 2, fill->trade_id);
    flt_db_bind_int(stmt, 3, fill->order_id);
    flt_db_bind_dec(stmt, 4, ticks_to_price(instrument, fill->price_ticks));
    flt_db_bind_dec(stmt, 5, lots_to_qty(instrument, fill->qty_lots));
    flt_db_bind_amt(stmt, 6, fill->fee);
    flt_db_bind_str(stmt, 7, fill->fee_in_base ? instrument->base : instrument->quote);
    flt_db_bind_int(stmt, 8, fill->maker);
    flt_db_bind_int(stmt, 9, fill->ts_ms);
    must(flt_db_step(ledger->db, stmt), "fill");
}

void sim_ledger_source(struct sim_ledger *ledger, const char *symbol, const char *spec,
                       int64_t position_ms)
{
    if (!ledger)
        return;
    begin(ledger);
    sqlite3_stmt *stmt = flt_db_stmt(ledger->db, "INSERT OR REPLACE INTO sources VALUES(?,?,?)");

    flt_db_bind_str(stmt, 1, symbol);
    flt_db_bind_str(stmt, 2, spec);
    flt_db_bind_int(stmt, 3, position_ms);
    must(flt_db_step(ledger->db, stmt), "source");
}

int64_t sim_ledger_position(struct sim_ledger *ledger, const char *symbol, const char *spec)
{
    int64_t position_ms = 0;

    if (!ledger)
        return 0;
    sqlite3_stmt *stmt =
        flt_db_stmt(ledger->db, "SELECT position_ms FROM sources WHERE symbol = ? AND spec = ?");

    flt_db_bind_str(stmt, 1, symbol);
    flt_db_bind_str(stmt, 2, spec);
    if (flt_db_step(ledger->db, stmt) == FLT_DB_ROW)
        position_ms = flt_db_int(stmt, 0);
    sqlite3_reset(stmt);
    return position_ms > 0 ? position_ms : 0;
}

bool sim_ledger_commit(struct sim_ledger *ledger)
{
    if (!ledger)
        return false;
    if (!ledger->begun && !ledger->order_count && !ledger->account_count)
        return false;
    begin(ledger);
    for (size_t i = 0; i < ledger->order_count; i++)
        write_order(ledger, ledger->orders[i]);
    for (size_t i = 0; i < ledger->account_count; i++)
        write_balances(ledger, ledger->accounts[i]);
    ledger->order_count = ledger->account_count = 0;
    must(flt_db_commit(ledger->db), "commit");
    ledger->begun = false;
    return true;
}

/* --- reading ------------------------------------------------------------------------------------
 */

/* Accounts keep their numbers by key, whatever the order of the command line. */
static int load_accounts(struct sim_ledger *ledger, struct sim *sim, struct flt_error *error)
{
    for (size_t i = 0; i < sim->account_count; i++) {
        struct sim_account *account = sim->accounts[i];
        sqlite3_stmt *stmt =
            flt_db_stmt(ledger->db, "INSERT OR IGNORE INTO accounts(key) VALUES(?)");

        flt_db_bind_str(stmt, 1, account->key);
        if (flt_db_step(ledger->db, stmt) < 0)
            return -EIO;
        stmt = flt_db_stmt(ledger->db, "SELECT id FROM accounts WHERE key = ?");
        flt_db_bind_str(stmt, 1, account->key);
        if (flt_db_step(ledger->db, stmt) != FLT_DB_ROW)
            return -EIO;
        account->index = (size_t)flt_db_int(stmt, 0);
        sqlite3_reset(stmt);
    }
    (void)error;
    return 0;
}

static struct sim_account *account_of(const struct sim *sim, int64_t index)
{
    for (size_t i = 0; i < sim->account_count; i++)
        if ((int64_t)sim->accounts[i]->index == index)
            return sim->accounts[i];
    return NULL;
}

static int load_balances(struct sim_ledger *ledger, const struct sim *sim)
{
    sqlite3_stmt *stmt =
        flt_db_stmt(ledger->db, "SELECT account, asset, free, locked FROM balances");
    int step;

    while ((step = flt_db_step(ledger->db, stmt)) == FLT_DB_ROW) {
        const struct sim_account *account = account_of(sim, flt_db_int(stmt, 0));

        if (account && funds_set(account->funds, flt_db_str(stmt, 1), flt_db_amt(stmt, 2),
                                 flt_db_amt(stmt, 3)) != 0)
            return -EBADMSG;
    }
    return step;
}

static struct sim_order *read_order(const struct sim *sim, sqlite3_stmt *stmt)
{
    struct sim_account *account = account_of(sim, flt_db_int(stmt, 1));
    struct sim_market *market = sim_market_find(sim, flt_db_str(stmt, 2));
    struct sim_order *order = account && market ? calloc(1, sizeof *order) : NULL;

    if (!order)
        return NULL;
    const struct instrument *instrument = &market->instrument;

    order->account = account;
    order->market = market;
    flt_db_copy(stmt, 3, order->client_id, sizeof order->client_id);
    flt_db_copy(stmt, 4, order->cancel_id, sizeof order->cancel_id);
    order->side = strcmp(flt_db_str(stmt, 5), "BUY") == 0 ? SIDE_BUY : SIDE_SELL;
    order->type = (enum sim_type)flt_db_int(stmt, 6);
    order->tif = (enum tif)flt_db_int(stmt, 7);
    order->stp = (enum sim_stp)flt_db_int(stmt, 8);
    order->status = (enum sim_status)flt_db_int(stmt, 9);
    order->price_ticks = price_to_ticks(instrument, flt_db_dec(stmt, 10), FLT_ROUND_DOWN);
    order->qty_lots = qty_to_lots(instrument, flt_db_dec(stmt, 11), FLT_ROUND_DOWN);
    order->filled_lots = qty_to_lots(instrument, flt_db_dec(stmt, 12), FLT_ROUND_DOWN);
    order->cost = flt_db_amt(stmt, 13).units / sim_cost_amt(market, 1).units;
    order->quote_qty = flt_db_amt(stmt, 14);
    order->lock = flt_db_amt(stmt, 15);
    order->time_ms = flt_db_int(stmt, 16);
    order->update_ms = flt_db_int(stmt, 17);
    return order;
}

static int put_back(struct sim_order *order)
{
    const struct match_request request = {
        .id = (uint64_t)order->order_id,
        .user = order,
        .account = (uint32_t)order->account->index,
        .side = order->side,
        .tif = order->tif,
        .post_only = order->type == SIM_LIMIT_MAKER,
        .price_ticks = order->price_ticks,
        .qty_lots = order->qty_lots,
    };

    sim_order_open(order);
    return match_restore(order->market->match, order->time_ms, &request, order->filled_lots,
                         order->cost, &order->resting);
}

static int load_orders(struct sim_ledger *ledger, struct sim *sim, struct flt_error *error)
{
    sqlite3_stmt *stmt = flt_db_stmt(ledger->db, "SELECT * FROM orders ORDER BY id");
    int step;

    while ((step = flt_db_step(ledger->db, stmt)) == FLT_DB_ROW) {
        struct sim_order *order = read_order(sim, stmt);

        if (!order || flt_db_int(stmt, 0) != (int64_t)sim->order_count + 1)
            return flt_error_set(error, FLT_CONFLICT, "db",
                                 "Give the same accounts and markets as before, or another file.",
                                 "Order %" PRId64 " in the ledger is of an account or market (%s) "
                                 "that is not given.",
                                 flt_db_int(stmt, 0), flt_db_str(stmt, 2));
        sim_order_add(sim, order);
        if (sim_order_is_open(order) && put_back(order) != 0)
            return flt_error_set(error, FLT_CONFLICT, "db", "", "Order %" PRId64 " does not fit.",
                                 order->order_id);
    }
    return step;
}

static int load_fills(struct sim_ledger *ledger, struct sim *sim)
{
    sqlite3_stmt *stmt = flt_db_stmt(ledger->db, "SELECT trade_id, order_id, price, qty, fee, "
                                                 "fee_asset, maker, time_ms FROM fills ORDER BY n");
    int step;

    while ((step = flt_db_step(ledger->db, stmt)) == FLT_DB_ROW) {
        const int64_t order_id = flt_db_int(stmt, 1);

        if (order_id < 1 || (uint64_t)order_id > sim->order_count)
            return -EBADMSG;
        struct sim_market *market = sim->orders[order_id - 1]->market;

        if (sim->fill_count == sim->fill_capacity) {
            sim->fill_capacity = sim->fill_capacity ? sim->fill_capacity * 2 : 1024;
            sim->fills = realloc(sim->fills, sim->fill_capacity * sizeof *sim->fills);
            if (!sim->fills)
                return -ENOMEM;
        }
        sim->fills[sim->fill_count++] = (struct sim_fill){
            .trade_id = flt_db_int(stmt, 0),
            .order_id = order_id,
            .ts_ms = flt_db_int(stmt, 7),
            .price_ticks = price_to_ticks(&market->instrument, flt_db_dec(stmt, 2), FLT_ROUND_DOWN),
            .qty_lots = qty_to_lots(&market->instrument, flt_db_dec(stmt, 3), FLT_ROUND_DOWN),
            .fee = flt_db_amt(stmt, 4),
            .maker = flt_db_int(stmt, 6) != 0,
            .fee_in_base = strcmp(flt_db_str(stmt, 5), market->instrument.base) == 0,
        };
        /* Trade ids are per symbol and never come again: the history took some already. */
        if (flt_db_int(stmt, 0) >= market->trade_count)
            market->trade_count = flt_db_int(stmt, 0) + SIM_TRADES_KEPT;
    }
    return step;
}

int sim_ledger_load(struct sim_ledger *ledger, struct sim *sim, struct flt_error *error)
{
    int err = load_accounts(ledger, sim, error);

    if (!err)
        err = load_balances(ledger, sim);
    if (!err)
        err = load_orders(ledger, sim, error);
    if (!err)
        err = load_fills(ledger, sim);
    return err;
}
