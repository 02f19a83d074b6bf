#include "tests/support/broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS 90000
#define LOOK_MS 10

static int free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof address));
    assert_int_equal(0, getsockname(fd, (struct sockaddr *)&address, &size));
    close(fd);
    return ntohs(address.sin_port);
}

static void path_in(const struct broker *broker, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", broker->dir, name);
}

static bool takes(const struct sockaddr *address, socklen_t size)
{
    const int fd = socket(address->sa_family, SOCK_STREAM, 0);
    const bool is_up = connect(fd, address, size) == 0;

    close(fd);
    return is_up;
}

/* It opens one listener after the other, so each is asked. */
static bool answers(const struct broker *broker)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                         .sin_port = htons((uint16_t)broker->port) };
    struct sockaddr_un path = { .sun_family = AF_UNIX };

    path_in(broker, "sock", path.sun_path, sizeof path.sun_path);
    return takes((const struct sockaddr *)&address, sizeof address) &&
           takes((const struct sockaddr *)&path, sizeof path);
}

/* True once it takes connections, false if it ended (the port was taken meanwhile). */
static bool run(struct broker *broker)
{
    static const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
    const char *const program =
        access("/usr/sbin/mosquitto", X_OK) == 0 ? "/usr/sbin/mosquitto" : "mosquitto";
    char config[96];
    const char *const argv[] = { program, "-c", config, NULL };

    path_in(broker, "mosquitto.conf", config, sizeof config);
    child_start(&broker->child, argv);
    for (int waited_ms = 0; waited_ms < START_MS; waited_ms += LOOK_MS) {
        if (answers(broker)) /* there is no event to wait for */
            return true;
        if (waitpid(broker->child.pid, NULL, WNOHANG) == broker->child.pid) {
            close(broker->child.in);
            close(broker->child.out);
            broker->child.pid = 0;
            return false;
        }
        nanosleep(&pause, NULL);
    }
    fail_msg("mosquitto takes no connections on port %d", broker->port);
    return false;
}

static void write_config(const struct broker *broker, bool has_login, const char *extra)
{
    const struct passwd *const user = getpwuid(geteuid());
    char path[96];

    path_in(broker, "mosquitto.conf", path, sizeof path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "set_tcp_nodelay true\nmax_inflight_messages 100\nmax_queued_messages 200000\n"
            "log_dest file %s/log\nallow_anonymous %s\n",
            broker->dir, has_login ? "false" : "true");
    if (has_login)
        fprintf(file, "password_file %s/passwords\n", broker->dir);
    if (geteuid() == 0 && user) /* as root it would change to a user that cannot write here */
        fprintf(file, "user %s\n", user->pw_name);
    fprintf(file, "%slistener %d 127.0.0.1\nlistener 0 %s/sock\n", extra ? extra : "", broker->port,
            broker->dir);
    fclose(file);
}

static void write_password(const struct broker *broker, const char *username, const char *password)
{
    struct child tool;
    char path[96];
    const char *const argv[] = { "mosquitto_passwd", "-c", "-b", path, username, password, NULL };

    path_in(broker, "passwords", path, sizeof path);
    child_start(&tool, argv);
    child_end(&tool, 0);
    assert_int_equal(0, access(path, R_OK));
}

void broker_start(struct broker *broker, const char *username, const char *password,
                  const char *extra)
{
    memset(broker, 0, sizeof *broker);
    snprintf(broker->dir, sizeof broker->dir, "/tmp/flotilla-broker-XXXXXX");
    assert_non_null(mkdtemp(broker->dir));
    if (username)
        write_password(broker, username, password);
    for (int attempt = 0; attempt < 5; attempt++) {
        broker->port = free_port();
        write_config(broker, username != NULL, extra);
        if (run(broker)) {
            snprintf(broker->url, sizeof broker->url, "mqtt://127.0.0.1:%d", broker->port);
            snprintf(broker->unix_url, sizeof broker->unix_url, "unix:%s/sock", broker->dir);
            return;
        }
    }
    fail_msg("mosquitto does not start, see %s/log", broker->dir);
}

void broker_stop(struct broker *broker, int signal)
{
    child_end(&broker->child, signal);
}

void broker_restart(struct broker *broker)
{
    if (!run(broker))
        fail_msg("mosquitto does not start again, see %s/log", broker->dir);
}

void broker_destroy(struct broker *broker)
{
    static const char *const names[] = { "mosquitto.conf", "passwords", "log", "sock" };
    char path[96];

    child_end(&broker->child, SIGTERM);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_in(broker, names[i], path, sizeof path);
        unlink(path);
    }
    rmdir(broker->dir);
}
