/* flotilla broker: the broker alone, for people who run their own or look into one. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/commands.h"
#include "controller/cli/fleet.h"
#include "lib/crypto.h"

/* Loads the fleet of --dir, or makes its folder, passwords and logins. */
static int prepare(struct cli *cli, struct fleet *fleet)
{
    const char *port = cli_flag(cli, "port");
    int err = fleet_load(cli->dir, fleet, &cli->error);

    if (cli->error.code == FLT_NOT_FOUND) {
        cli->error = (struct flt_error){ 0 };
        err = fleet_create(cli->dir, false, fleet, &cli->error);
        fleet->dashboard_port = FLEET_PORT_DEFAULT;
    }
    if (err)
        return err;
    if (port) {
        const long value = strtol(port, NULL, 10);

        if (value < 1 || value > 65535)
            return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "port", "",
                            "--port is a number of 1 to 65535");
        fleet->broker_port = (uint16_t)value;
    } else {
        err = fleet_choose_ports(fleet, &cli->error);
    }
    if (!err)
        err = fleet_save(fleet, &cli->error);
    return err ? err : fleet_write_broker_config(fleet, &cli->error);
}

int cmd_broker_config(struct cli *cli)
{
    struct fleet fleet;
    char path[BROKER_PATH_MAX];
    int lock = -1;
    int err = fleet_lock(cli->dir, &lock, &cli->error);

    if (err)
        return err;
    err = prepare(cli, &fleet);
    close(lock);
    if (!err)
        err = fleet_path(cli->dir, path, &cli->error, "broker/mosquitto.conf");
    if (err)
        return err;
    if (cli->json)
        printf("{\"config\":\"%s\",\"host\":\"127.0.0.1\",\"port\":%u}\n", path, fleet.broker_port);
    else
        printf("%s\n", path);
    return 0;
}

int cmd_broker_run(struct cli *cli)
{
    struct fleet fleet;
    char program[BROKER_PATH_MAX], path[BROKER_PATH_MAX];
    int lock = -1;
    int err = fleet_lock(cli->dir, &lock, &cli->error);

    if (!err)
        err = prepare(cli, &fleet);
    if (!err)
        err = broker_find_program(program, sizeof program, &cli->error);
    if (!err)
        err = fleet_path(cli->dir, path, &cli->error, "broker/mosquitto.conf");
    if (err)
        return err;
    out_note(cli, "mosquitto on 127.0.0.1:%u and %s/broker/mosquitto.sock", fleet.broker_port,
             cli->dir);
    /* This process becomes the broker; a copy of the lock without close-on-exec stays with it. */
    if (dup(lock) < 0)
        return CLI_FAIL(cli, FLT_INTERNAL, "", "", "cannot keep the lock: %s", strerror(errno));
    execl(program, program, "-c", path, (char *)NULL);
    return CLI_FAIL(cli, FLT_UNAVAILABLE, "mosquitto", "", "cannot start %s: %s", program,
                    strerror(errno));
}

int cmd_broker_passwd(struct cli *cli)
{
    const char *name = cli_arg(cli, 0);
    char password[BROKER_PASSWORD_MAX], path[BROKER_PATH_MAX];
    int lock = -1;
    int err = fleet_lock(cli->dir, &lock, &cli->error);

    if (!err)
        err = fleet_path(cli->dir, path, &cli->error, "broker");
    if (!err)
        err = broker_password(password);
    if (!err)
        err = broker_reset_password(path, name, password, &cli->error);
    if (!err && (strcmp(name, "admin") == 0 || strcmp(name, "up") == 0))
        err = fleet_set_password(cli->dir, name, password, &cli->error);
    if (lock >= 0)
        close(lock);
    if (err)
        return err;
    if (cli->json)
        printf("{\"name\":\"%s\",\"password\":\"%s\"}\n", name, password);
    else
        printf("user=%s password=%s\n", name, password);
    flt_wipe(password, sizeof password);
    return 0;
}
