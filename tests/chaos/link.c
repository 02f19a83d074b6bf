/* The wires of a fleet under test: a TCP proxy for each link, whose wires the conductor cuts.
 *
 * Usage: chaos_link LOG NAME=PORT=TARGET ...      (TARGET: a port on 127.0.0.1, or a Unix socket)
 * prints "ready" and then obeys lines on stdin, answering each with "ok" or "no: why":
 *   open NAME            bytes flow, what waited comes now
 *   drop NAME [up|down]  nothing arrives any more and nobody is told: a partition; with a direction
 *                        only that one (half-open). New connections wait as well.
 *   delay NAME MS        each byte arrives MS later
 *   reset NAME           every connection of it ends at once, at both ends
 * A side that closes is seen by the other after all it sent, so late bytes of an old connection
 * arrive after the first ones of the next. Every client order id that a client sends is written to
 * LOG as "ns name id": the checker's witness of what left a node. Ends with stdin. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#define LINKS_MAX 16
#define CHUNK 65536
#define QUEUE_MAX ((size_t)8 << 20)
#define FIELD "newClientOrderId"
#define ID_SIZE 27
#define TAIL (sizeof FIELD + 8 + ID_SIZE)

struct chunk {
    struct chunk *next;
    uint64_t due_ms;
    size_t size; /* 0: the sender closed */
    char data[];
};

struct pair;

struct lane { /* one direction of one connection */
    struct pair *pair;
    uv_stream_t *from, *to;
    struct chunk *head, **tail;
    size_t queued;
    bool ended; /* its end is queued */
    char seen[TAIL];
    size_t seen_size;
};

struct link {
    char name[64];
    uv_tcp_t listener;
    char target[200];
    bool cut[2]; /* up, down */
    uint64_t delay_ms;
};

struct pair {
    struct link *link;
    struct pair *next, **self;
    uv_tcp_t client;
    union {
        uv_tcp_t tcp;
        uv_pipe_t pipe;
        uv_stream_t stream;
    } server;
    struct lane lanes[2]; /* up: client to server; down */
    uv_timer_t timer;
    bool dialled, connected, closing;
    int open_handles;
};

static uv_loop_t *loop;
static struct link links[LINKS_MAX];
static size_t link_count;
static struct pair *pairs;
static FILE *witness;

static void move(struct pair *pair);

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void fatal(const char *what, int err)
{
    fprintf(stderr, "chaos_link: %s: %s\n", what, uv_strerror(err));
    exit(1);
}

/* --- the witness --------------------------------------------------------------------------------
 */

static void note_id(const struct link *link, const char *text, size_t size)
{
    size_t at = sizeof FIELD - 1;

    while (at < size && (text[at] == '=' || text[at] == '"' || text[at] == ':'))
        at++;
    if (size - at >= ID_SIZE && text[at] == 'f')
        fprintf(witness, "%" PRIu64 " %s %.*s\n", uv_hrtime(), link->name, ID_SIZE, text + at);
}

/* Looks for FIELD also where it was cut by a segment's end. */
static void look(struct lane *lane, const char *data, size_t size)
{
    const size_t all = lane->seen_size + size;
    char *const text = must(malloc(all + 1));
    size_t done = 0;

    memcpy(text, lane->seen, lane->seen_size);
    memcpy(text + lane->seen_size, data, size);
    for (size_t at = 0; at < all;) {
        const char *const found = memmem(text + at, all - at, FIELD, sizeof FIELD - 1);
        const size_t offset = found ? (size_t)(found - text) : all;

        if (!found || all - offset < TAIL) {
            done = found ? offset : all > sizeof FIELD ? all - sizeof FIELD : 0;
            break;
        }
        note_id(lane->pair->link, found, all - offset);
        at = done = offset + sizeof FIELD;
    }
    lane->seen_size = all - done < TAIL ? all - done : TAIL - 1;
    memcpy(lane->seen, text + all - lane->seen_size, lane->seen_size);
    free(text);
}

/* --- the end of a pair --------------------------------------------------------------------------
 */

static void on_closed(uv_handle_t *handle)
{
    struct pair *const pair = handle->data;

    if (--pair->open_handles > 0)
        return;
    *pair->self = pair->next;
    if (pair->next)
        pair->next->self = pair->self;
    for (int i = 0; i < 2; i++)
        for (struct chunk *chunk = pair->lanes[i].head, *next; chunk; chunk = next) {
            next = chunk->next;
            free(chunk);
        }
    free(pair);
}

static void close_pair(struct pair *pair)
{
    if (pair->closing)
        return;
    pair->closing = true;
    uv_close((uv_handle_t *)&pair->client, on_closed);
    if (pair->dialled)
        uv_close((uv_handle_t *)&pair->server.stream, on_closed);
    uv_close((uv_handle_t *)&pair->timer, on_closed);
}

/* --- bytes --------------------------------------------------------------------------------------
 */

static void queue(struct lane *lane, const char *data, size_t size)
{
    struct chunk *const chunk = must(malloc(sizeof *chunk + size));

    *chunk = (struct chunk){ .due_ms = uv_now(loop) + lane->pair->link->delay_ms, .size = size };
    if (size)
        memcpy(chunk->data, data, size);
    *lane->tail = chunk;
    lane->tail = &chunk->next;
    lane->queued += size;
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    static char room[CHUNK];

    (void)handle;
    (void)wanted;
    *out = uv_buf_init(room, sizeof room);
}

static void on_bytes(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct pair *const pair = stream->data;
    struct lane *const lane = &pair->lanes[stream == (uv_stream_t *)&pair->client ? 0 : 1];

    if (size == 0)
        return;
    if (size < 0) {
        uv_read_stop(stream);
        lane->ended = true;
        queue(lane, NULL, 0);
    } else {
        if (lane == &pair->lanes[0])
            look(lane, buf->base, (size_t)size);
        queue(lane, buf->base, (size_t)size);
        if (lane->queued > QUEUE_MAX)
            uv_read_stop(stream);
    }
    move(pair);
}

struct write {
    uv_write_t uv;
    struct chunk *chunk;
};

static void on_written(uv_write_t *uv, int status)
{
    struct write *const write = (struct write *)(void *)uv;
    struct pair *const pair = uv->handle->data;

    free(write->chunk);
    free(write);
    if (status < 0)
        close_pair(pair);
}

static void send_chunk(struct lane *lane, struct chunk *chunk)
{
    struct write *const write = must(calloc(1, sizeof *write));
    uv_buf_t buf = uv_buf_init(chunk->data, (unsigned)chunk->size);

    write->chunk = chunk;
    if (uv_write(&write->uv, lane->to, &buf, 1, on_written) < 0) {
        free(chunk);
        free(write);
        close_pair(lane->pair);
    }
}

static void on_timer(uv_timer_t *timer)
{
    move(timer->data);
}

/* Sends what is due; when its end is due the other side is closed as well. Returns when the next
 * is. */
static uint64_t move_lane(struct lane *lane, bool cut)
{
    struct pair *const pair = lane->pair;
    const bool was_full = lane->queued > QUEUE_MAX;

    while (!cut && lane->head && lane->head->due_ms <= uv_now(loop) && !pair->closing) {
        struct chunk *const chunk = lane->head;

        lane->head = chunk->next;
        if (!lane->head)
            lane->tail = &lane->head;
        lane->queued -= chunk->size;
        if (chunk->size) {
            send_chunk(lane, chunk);
        } else {
            free(chunk);
            close_pair(pair);
        }
    }
    if (was_full && lane->queued <= QUEUE_MAX && !lane->ended && !pair->closing)
        uv_read_start(lane->from, on_room, on_bytes);
    return cut || !lane->head ? UINT64_MAX : lane->head->due_ms;
}

static void on_dialled(uv_connect_t *request, int status)
{
    struct pair *const pair = request->data;

    free(request);
    if (pair->closing)
        return;
    if (status < 0) {
        close_pair(pair);
        return;
    }
    pair->connected = true;
    uv_read_start(&pair->server.stream, on_room, on_bytes);
    move(pair);
}

static void dial(struct pair *pair)
{
    uv_connect_t *const request = must(calloc(1, sizeof *request));
    struct sockaddr_in address;

    request->data = pair;
    pair->dialled = true;
    pair->open_handles++;
    if (pair->link->target[0] == '/') {
        uv_pipe_init(loop, &pair->server.pipe, 0);
        pair->server.stream.data = pair;
        uv_pipe_connect(request, &pair->server.pipe, pair->link->target, on_dialled);
        return;
    }
    uv_tcp_init(loop, &pair->server.tcp);
    pair->server.stream.data = pair;
    uv_tcp_nodelay(&pair->server.tcp, 1);
    uv_ip4_addr("127.0.0.1", atoi(pair->link->target), &address);
    if (uv_tcp_connect(request, &pair->server.tcp, (struct sockaddr *)&address, on_dialled) < 0) {
        free(request);
        close_pair(pair);
    }
}

static void move(struct pair *pair)
{
    const struct link *const link = pair->link;
    uint64_t next = UINT64_MAX;

    if (pair->closing)
        return;
    if (!pair->dialled && !link->cut[0])
        dial(pair);
    if (!pair->connected)
        return;
    for (int i = 0; i < 2 && !pair->closing; i++) {
        const uint64_t due = move_lane(&pair->lanes[i], link->cut[i]);
        next = due < next ? due : next;
    }
    if (next != UINT64_MAX && !pair->closing)
        uv_timer_start(&pair->timer, on_timer, next - uv_now(loop), 0);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct link *const link = listener->data;
    struct pair *const pair = must(calloc(1, sizeof *pair));

    if (status < 0)
        fatal("listen", status);
    pair->link = link;
    pair->open_handles = 2;
    uv_tcp_init(loop, &pair->client);
    uv_timer_init(loop, &pair->timer);
    pair->client.data = pair->timer.data = pair;
    pair->lanes[0] = (struct lane){ .pair = pair,
                                    .from = (uv_stream_t *)&pair->client,
                                    .to = &pair->server.stream,
                                    .tail = &pair->lanes[0].head };
    pair->lanes[1] = (struct lane){ .pair = pair,
                                    .from = &pair->server.stream,
                                    .to = (uv_stream_t *)&pair->client,
                                    .tail = &pair->lanes[1].head };
    pair->next = pairs;
    pair->self = &pairs;
    if (pairs)
        pairs->self = &pair->next;
    pairs = pair;
    if (uv_accept(listener, (uv_stream_t *)&pair->client) < 0) {
        close_pair(pair);
        return;
    }
    uv_tcp_nodelay(&pair->client, 1);
    uv_read_start((uv_stream_t *)&pair->client, on_room, on_bytes);
    move(pair);
}

/* --- orders from the conductor ------------------------------------------------------------------
 */

static void reset_all(const struct link *link)
{
    for (struct pair *pair = pairs, *next; pair; pair = next) {
        next = pair->next;
        if (pair->link != link || pair->closing)
            continue;
        uv_os_fd_t fd;
        const struct linger now = { 1, 0 };
        if (uv_fileno((uv_handle_t *)&pair->client, &fd) == 0)
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        if (pair->dialled && uv_fileno((uv_handle_t *)&pair->server.stream, &fd) == 0)
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close_pair(pair);
    }
}

static void change(struct link *link, bool up, bool down, uint64_t delay_ms)
{
    link->cut[0] = up;
    link->cut[1] = down;
    link->delay_ms = delay_ms;
    for (struct pair *pair = pairs, *next; pair; pair = next) {
        next = pair->next;
        if (pair->link == link)
            move(pair);
    }
}

static const char *obey(char *line)
{
    char verb[16] = "", name[64] = "", more[16] = "";
    struct link *link = NULL;

    if (sscanf(line, "%15s %63s %15s", verb, name, more) < 2)
        return "no: what?";
    for (size_t i = 0; i < link_count; i++)
        if (strcmp(links[i].name, name) == 0)
            link = &links[i];
    if (!link)
        return "no: no such link";
    uv_update_time(loop);
    if (strcmp(verb, "open") == 0)
        change(link, false, false, 0);
    else if (strcmp(verb, "drop") == 0)
        change(link, strcmp(more, "down") != 0, strcmp(more, "up") != 0, link->delay_ms);
    else if (strcmp(verb, "delay") == 0)
        change(link, link->cut[0], link->cut[1], strtoul(more, NULL, 10));
    else if (strcmp(verb, "reset") == 0)
        reset_all(link);
    else
        return "no: no such order";
    return "ok";
}

static void on_order(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    static char line[256];
    static size_t length;

    (void)stream;
    if (size < 0)
        exit(0);
    for (ssize_t i = 0; i < size; i++) {
        if (buf->base[i] != '\n') {
            if (length + 1 < sizeof line)
                line[length++] = buf->base[i];
            continue;
        }
        line[length] = '\0';
        length = 0;
        puts(obey(line));
        fflush(stdout);
    }
}

static void add_link(char *spec)
{
    struct link *const link = &links[link_count];
    const char *const name = strtok(spec, "="), *const port = strtok(NULL, "="),
                      *const target = strtok(NULL, "=");
    struct sockaddr_in address;

    if (!name || !port || !target || link_count == LINKS_MAX)
        fatal(spec, UV_EINVAL);
    snprintf(link->name, sizeof link->name, "%s", name);
    snprintf(link->target, sizeof link->target, "%s", target);
    uv_tcp_init(loop, &link->listener);
    link->listener.data = link;
    uv_ip4_addr("127.0.0.1", atoi(port), &address);
    int err = uv_tcp_bind(&link->listener, (struct sockaddr *)&address, 0);

    err = err ? err : uv_listen((uv_stream_t *)&link->listener, 1024, on_connection);
    if (err)
        fatal(name, err);
    link_count++;
}

int main(int argc, char **argv)
{
    uv_pipe_t orders;

    if (argc < 3)
        fatal("usage: chaos_link LOG NAME=PORT=TARGET ...", UV_EINVAL);
    loop = uv_default_loop();
    signal(SIGPIPE, SIG_IGN);
    witness = fopen(argv[1], "ae");
    if (!witness)
        fatal(argv[1], UV_EIO);
    setvbuf(witness, NULL, _IOLBF, 4096);
    for (int i = 2; i < argc; i++)
        add_link(argv[i]);
    uv_pipe_init(loop, &orders, 0);
    if (uv_pipe_open(&orders, 0) < 0)
        fatal("stdin", UV_EINVAL);
    uv_read_start((uv_stream_t *)&orders, on_room, on_order);
    puts("ready");
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
