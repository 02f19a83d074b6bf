/* What the rows of the table run, one file a group. Each gets its parsed words and returns 0 or a
 * negative errno with cli->error filled. */
#pragma once
#include <stdio.h>

struct cli;

/* tree.c */
int cmd_version(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_complete(struct cli *cli);
int cmd_help(struct cli *cli);

/* cmd_broker.c */
int cmd_broker_config(struct cli *cli);
int cmd_broker_run(struct cli *cli);
int cmd_broker_passwd(struct cli *cli);
