/* What the rows of the table run, one file a group. Each gets its parsed words and returns 0 or a
 * negative errno with cli->error filled. */
#pragma once
#include "controller/cli/cli.h"

/* tree.c */
int cmd_version(struct cli *cli);
int cmd_signal(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_complete(struct cli *cli);
int cmd_help(struct cli *cli);

/* up.c */
int cmd_up(struct cli *cli);
int cmd_down(struct cli *cli);

/* cmd_broker.c */
int cmd_broker_config(struct cli *cli);
int cmd_broker_run(struct cli *cli);
int cmd_broker_passwd(struct cli *cli);

/* cmd_site.c */
int cmd_broker_listen(struct cli *cli);
int cmd_broker_bridge(struct cli *cli);
int cmd_broker_login(struct cli *cli);

/* cmd_fleet.c */
int cmd_status(struct cli *cli);
int cmd_node_ls(struct cli *cli);
int cmd_node_show(struct cli *cli);
int cmd_node_ping(struct cli *cli);    /* cmd_upgrade.c */
int cmd_node_upgrade(struct cli *cli); /* cmd_upgrade.c */
int cmd_strategy_ls(struct cli *cli);
int cmd_strategy_show(struct cli *cli);
int cmd_halt(struct cli *cli);
int cmd_halt_ls(struct cli *cli);
int cmd_resume(struct cli *cli);
int cmd_user_ls(struct cli *cli);
int cmd_user_add(struct cli *cli);
int cmd_user_passwd(struct cli *cli);
int cmd_user_rm(struct cli *cli);

/* top.c */
int cmd_top(struct cli *cli);

/* cmd_chaos.c */
int cmd_chaos(struct cli *cli);

/* cmd_money.c */
extern const struct column pnl_columns[]; /* of pnl and status */
int cmd_pnl(struct cli *cli);
int cmd_portfolio(struct cli *cli);

/* cmd_log.c */
int cmd_log(struct cli *cli);
int cmd_bot_logs(struct cli *cli);

/* cmd_backup.c */
int cmd_backup_create(struct cli *cli);
int cmd_backup_ls(struct cli *cli);
int cmd_backup_verify(struct cli *cli);
int cmd_backup_restore(struct cli *cli);

/* cmd_account.c */
int cmd_account_add(struct cli *cli);
int cmd_account_ls(struct cli *cli);
int cmd_account_rm(struct cli *cli);
int cmd_account_rotate(struct cli *cli);
int cmd_account_show(struct cli *cli);
int cmd_account_test(struct cli *cli);

/* cmd_act.c */
int cmd_bot_start(struct cli *cli);
int cmd_bot_stop(struct cli *cli);
int cmd_bot_pause(struct cli *cli);
int cmd_bot_resume(struct cli *cli);
int cmd_bot_rm(struct cli *cli);

/* cmd_bot.c */
int cmd_bot_ls(struct cli *cli);
int cmd_bot_show(struct cli *cli);
int cmd_bot_orders(struct cli *cli);
int cmd_bot_fills(struct cli *cli);

/* cmd_parity.c */
int cmd_bot_parity(struct cli *cli);

/* cmd_place.c */
int cmd_bot_move(struct cli *cli);
int cmd_node_drain(struct cli *cli);

/* cmd_deploy.c */
int cmd_bot_deploy(struct cli *cli);
/* cmd_spec.c */
int cmd_bot_config(struct cli *cli);
int cmd_bot_clone(struct cli *cli);

/* cmd_apply.c */
int cmd_apply(struct cli *cli);
int cmd_diff(struct cli *cli);
int cmd_export(struct cli *cli);

/* cmd_watch.c */
int cmd_watch(struct cli *cli);

/* cmd_doctor.c */
int cmd_doctor(struct cli *cli);

/* cmd_exchange.c */
int cmd_exchange(struct cli *cli);

/* cmd_indicator.c */
int cmd_indicator(struct cli *cli);

/* cmd_data.c, cmd_download.c */
int cmd_data_ls(struct cli *cli);
int cmd_data_show(struct cli *cli);
int cmd_data_import(struct cli *cli);
int cmd_data_export(struct cli *cli);
int cmd_data_verify(struct cli *cli);
int cmd_data_resample(struct cli *cli);
int cmd_data_download(struct cli *cli);
/* A flag's time in Unix ms; `missing` without it. */
int cli_time_flag(struct cli *cli, const char *name, int64_t missing, int64_t *out);
/* The error is of a data file's row, "x.csv:7: ...", not of its columns or of the file itself. */
bool cli_error_in_rows(const struct cli *cli);
void data_complete(const struct cli *cli, FILE *file, const char *prefix); /* names of stores */

/* cmd_backtest.c */
int cmd_backtest(struct cli *cli);
