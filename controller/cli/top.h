/* flotilla top: the fleet on a whole screen (top.c: loop, terminal, keys; top_data.c: what the bus
 * said; top_view.c: how it looks). */
#pragma once
#include "controller/cli/filter.h"
#include "controller/cli/screen.h"
#include "controller/cli/session.h"

#define TOP_PAGES_MAX 1024
#define TOP_POINTS_MAX 2000
#define TOP_LINES_MAX 64

struct top_bot {
    char name[33], node[33], strategy[33], instrument[33], mode[12], run[12], phase[16], reason[33];
    char equity[48], realised[48], position[48], price[48], fills[24], orders[24], age[24];
    double sort_equity, sort_price, sort_position, sort_fills, sort_orders;
    int64_t age_ms;  /* when its page came */
    int64_t page_ns; /* when that was */
};

struct top_page {
    struct top_bot *bots;
    size_t count;
    struct json_object *pending; /* came while the display is paused */
};

struct top_node {
    char name[33];
    int64_t bots, running, rss_bytes, lag_us, clock_offset_ms, head;
    double load;
    int64_t heard_ns;
};

enum top_view { TOP_BOTS, TOP_NODES, TOP_BOT, TOP_HELP };

enum top_sort {
    TOP_SORT_BOT,
    TOP_SORT_NODE,
    TOP_SORT_STATE,
    TOP_SORT_STRATEGY,
    TOP_SORT_PAIR,
    TOP_SORT_PRICE,
    TOP_SORT_EQUITY,
    TOP_SORT_POSITION,
    TOP_SORT_ORDERS,
    TOP_SORT_FILLS,
    TOP_SORT_AGE,
    TOP_SORTS
};

/* One bot from close by. */
struct top_detail {
    char bot[33];
    struct json_object *live; /* n/live, the last */
    double equity[TOP_POINTS_MAX], price[TOP_POINTS_MAX];
    size_t count;
    int64_t point_ns;
    char lines[TOP_LINES_MAX][192];
    size_t line_count; /* ever; the newest TOP_LINES_MAX are kept */
    bool loading;
};

struct top {
    struct session *session;
    struct screen screen;
    bool write; /* --write */

    struct top_page pages[TOP_PAGES_MAX];
    size_t page_count;
    struct json_object *fleet; /* types/digest_fleet */
    int64_t digest_ns;         /* when the last page came; 0: never */
    struct top_node *nodes;
    size_t node_count;

    enum top_view view, back;
    const struct top_bot **rows; /* filtered and sorted */
    size_t row_count, row_room, bot_count;
    enum top_sort sort;
    bool sort_down, paused;
    char node_filter[33]; /* drilled into this node; "": none */
    char query[128], query_before[128];
    bool editing;
    struct filter filter;
    char filter_error[256];
    size_t selected, scroll;
    char selected_name[33];
    struct top_detail detail;
    char ask[160]; /* a question that waits for y; "": none */
    char ask_verb[32], ask_bot[33];
    char say[256]; /* the last outcome, for some seconds */
    int64_t say_ns;
};

int64_t top_now_ns(const struct top *top);

/* top_data.c */
void top_digest(struct top *top, struct json_object *page);
void top_apply_pending(struct top *top);
void top_heartbeat(struct top *top, const char *topic, struct json_object *hb);
void top_live(struct top *top, struct json_object *live);
void top_log(struct top *top, struct json_object *message);
void top_equity(struct top *top, struct json_object *result); /* of bot-equity */
void top_open_bot(struct top *top, const char *bot);
void top_arrange(struct top *top); /* filters and sorts anew */
void top_set_query(struct top *top, const char *query);
const struct top_bot *top_find(const struct top *top, const char *name);
int64_t top_age_ms(const struct top *top, const struct top_bot *bot);
void top_free(struct top *top);

/* top_view.c */
void top_draw(struct top *top);
size_t top_body_rows(const struct top *top); /* how many rows of the list fit */
