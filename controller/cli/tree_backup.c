/* Rows of `flotilla backup`. */
#include "controller/cli/commands.h"
#include "controller/cli/tree.h"

static const struct cli_flag key_flags[] = {
    { .name = "key-file",
      .value = "FILE",
      .live = "file",
      .help = "what it is sealed with (default: DIR/secrets/backup.key)" },
    CLI_END,
};
static const struct cli_flag restore_flags[] = {
    { .name = "key-file",
      .value = "FILE",
      .live = "file",
      .help = "what it is sealed with (default: DIR/secrets/backup.key)" },
    CLI_FLAG_YES,
    CLI_END,
};

const struct cli_command cli_backup_commands[] = {
    { .name = "create",
      .help = "write one now, and check it",
      .run = cmd_backup_create,
      .details = "The database is copied while the fleet goes on, then sealed with the key in"
                 " DIR/secrets/backup.key. Keep that file somewhere else too: without it a backup"
                 " is worth nothing. One is written each day by itself.",
      .examples = "flotilla backup create" },
    { .name = "ls",
      .help = "backups, newest first",
      .run = cmd_backup_ls,
      .details = "Asks the controller; when it is away, looks into DIR/backups." },
    { .name = "verify",
      .args = "[FILE]",
      .help = "check every byte of one (default: the newest)",
      .run = cmd_backup_verify,
      .flags = key_flags,
      .live = "file" },
    { .name = "restore",
      .args = "FILE",
      .help = "put one back, while the fleet is stopped",
      .run = cmd_backup_restore,
      .flags = restore_flags,
      .live = "file",
      .details = "Every byte is checked first; what is replaced is kept in DIR/replaced-TIME. At"
                 " the next start every bot is paused under a new epoch, nodes send again what"
                 " happened since, and you resume bots when the books are right (flotilla doctor"
                 " --reconcile). In an empty folder the fleet is made anew from the backup.",
      .examples = "flotilla down && flotilla backup restore"
                  " backups/flotilla-20260301T120000Z.backup && flotilla up --detach" },
    CLI_END,
};
