/* For bench_sim.py: signed orders over several keep-alive connections, one request at a time on
 * each, as so many single-threaded clients would. Usage: sim_driver PORT KEY SECRET CONNECTIONS
 * SECONDS trade|rest trade: each order meets the market's and trades; rest: each rests and is
 * cancelled by the next. Prints the number of orders and of requests a second. */
#define FLT_MOD "bench"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/clock.h"
#include "lib/crypto.h"

#define CONNECTIONS_MAX 64
#define REPLY_MAX 8192

struct connection {
    int fd;
    long order;   /* number of the last one placed */
    bool resting; /* it is to be cancelled next */
    bool cancels; /* the request under way */
    char reply[REPLY_MAX];
    size_t size;
};

struct driver {
    const char *key, *secret;
    bool rest;
    long orders, requests;
    size_t connection_count;
    struct connection connections[CONNECTIONS_MAX];
};

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_connection(int port)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)port),
                                         .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on))
        die("connect");
    return fd;
}

static void send_next(struct driver *driver, struct connection *connection)
{
    char query[320], request[640], hex[72];
    uint8_t mac[32];
    const size_t number = (size_t)(connection - driver->connections);
    const long long now_ms = flt_wall_ms(flt_clock_system());
    int size;

    connection->cancels = connection->resting;
    connection->resting = driver->rest && !connection->cancels;
    if (connection->cancels)
        size = snprintf(query, sizeof query,
                        "symbol=BTCUSDT&origClientOrderId=d%zu-%ld&recvWindow=5000&timestamp=%lld",
                        number, connection->order, now_ms);
    else
        size = snprintf(query, sizeof query,
                        "symbol=BTCUSDT&side=%s&type=LIMIT&timeInForce=%s&quantity=0.01&price=%d&"
                        "newClientOrderId=d%zu-%ld&recvWindow=5000&timestamp=%lld",
                        connection->order % 2 ? "SELL" : "BUY", driver->rest ? "GTC" : "IOC",
                        driver->rest == (connection->order % 2 == 0) ? 50000 : 70000, number,
                        connection->order + 1, now_ms);
    if (!connection->cancels)
        connection->order++;
    flt_hmac_sha256(driver->secret, strlen(driver->secret), query, (size_t)size, mac);
    flt_hex(mac, sizeof mac, hex);
    size = snprintf(request, sizeof request,
                    "%s /api/v3/order?%s&signature=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    "X-MBX-APIKEY: %s\r\nContent-Length: 0\r\n\r\n",
                    connection->cancels ? "DELETE" : "POST", query, hex, driver->key);
    if (write(connection->fd, request, (size_t)size) != size)
        die("write");
}

/* The whole reply is there: counts it and asks on. Anything but 200 ends the program. */
static void take(struct driver *driver, struct connection *connection)
{
    const ssize_t got = read(connection->fd, connection->reply + connection->size,
                             REPLY_MAX - 1 - connection->size);

    if (got <= 0)
        die("read");
    connection->size += (size_t)got;
    connection->reply[connection->size] = '\0';
    const char *body = strstr(connection->reply, "\r\n\r\n");
    const char *length = strcasestr(connection->reply, "content-length:");
    if (!body || !length)
        return;
    body += 4;
    if (strlen(body) < (size_t)atol(length + 15))
        return;
    if (!strstr(connection->reply, " 200 ")) {
        fprintf(stderr, "%.600s\n", connection->reply);
        exit(1);
    }
    driver->requests++;
    driver->orders += !connection->cancels;
    connection->size = 0;
    send_next(driver, connection);
}

int main(int argc, char **argv)
{
    static struct driver driver;
    struct pollfd fds[CONNECTIONS_MAX];

    if (argc != 7)
        return 2;
    driver.key = argv[2];
    driver.secret = argv[3];
    driver.connection_count = (size_t)atol(argv[4]) % (CONNECTIONS_MAX + 1);
    driver.rest = strcmp(argv[6], "rest") == 0;
    for (size_t i = 0; i < driver.connection_count; i++) {
        driver.connections[i].fd = open_connection(atoi(argv[1]));
        fds[i] = (struct pollfd){ .fd = driver.connections[i].fd, .events = POLLIN };
        send_next(&driver, &driver.connections[i]);
    }
    const int64_t start_ns = flt_mono_ns(flt_clock_system());
    const int64_t end_ns = start_ns + (int64_t)(atof(argv[5]) * 1e9);
    while (flt_mono_ns(flt_clock_system()) < end_ns) {
        if (poll(fds, (nfds_t)driver.connection_count, 1000) < 0)
            die("poll");
        for (size_t i = 0; i < driver.connection_count; i++)
            if (fds[i].revents)
                take(&driver, &driver.connections[i]);
    }
    const double seconds = (double)(flt_mono_ns(flt_clock_system()) - start_ns) / 1e9;
    printf("%.1f %.1f\n", (double)driver.orders / seconds, (double)driver.requests / seconds);
    return 0;
}
