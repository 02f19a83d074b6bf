/* The words in which a bot's life is told: phases, what is desired, halts, modes. They are those of
 * schemas/common.json, and botnode/host.c asserts that the two lists stay one. */
#pragma once
#include <stdbool.h>

enum bot_phase {
    BOT_WAITING, /* for the link, instruments, the word on halts */
    BOT_RECOVERING,
    BOT_RUNNING,
    BOT_PAUSED,   /* entries withdrawn, exits rest */
    BOT_STOPPING, /* orders are being cancelled */
    BOT_STOPPED,
    BOT_FLATTENING,
    BOT_FLAT,
    BOT_ERROR, /* a mismatch or an impossible state: a person must look; nothing new is sent */
    BOT_PHASE_COUNT
};

enum bot_run { BOT_RUN_RUNNING, BOT_RUN_PAUSED, BOT_RUN_STOPPED, BOT_RUN_FLAT };
enum bot_stop { BOT_STOP_CANCEL, BOT_STOP_FLATTEN, BOT_STOP_DETACH }; /* how to stop */
/* PAUSE: no entries. CANCEL: no orders at all. FLATTEN: no orders, and the position is closed. */
enum bot_halt { BOT_HALT_NONE, BOT_HALT_PAUSE, BOT_HALT_CANCEL, BOT_HALT_FLATTEN };
enum bot_mode { BOT_MODE_LIVE, BOT_MODE_PAPER, BOT_MODE_SHADOW, BOT_MODE_BACKTEST };

const char *bot_phase_name(enum bot_phase phase); /* "waiting" */
const char *bot_run_name(enum bot_run run);       /* "running", "paused", "stopped", "flat" */
bool bot_run_parse(const char *text, enum bot_run *out);
const char *bot_stop_name(enum bot_stop how); /* "cancel", "flatten", "detach" */
bool bot_stop_parse(const char *text, enum bot_stop *out);
const char *bot_halt_name(enum bot_halt halt); /* "none", "pause", "cancel", "flatten" */
bool bot_halt_parse(const char *text, enum bot_halt *out);
const char *bot_mode_name(enum bot_mode mode); /* "live", "paper", "shadow", "backtest" */
bool bot_mode_parse(const char *text, enum bot_mode *out);
