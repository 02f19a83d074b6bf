// Made by schemas/gen.py from schemas/ (*.json); not edited by hand.

export type SideWord = "buy" | "sell";
export type OrderTypeWord = "limit" | "market";
export type TifWord = "gtc" | "ioc" | "fok";
export type LiquidityWord = "unknown" | "maker" | "taker";
export type OrderStatusWord = "open" | "partly_filled" | "filled" | "cancelled" | "rejected" | "expired";
export type RunWord = "running" | "paused" | "stopped" | "flat";
export type PhaseWord = "waiting" | "recovering" | "running" | "paused" | "stopping" | "stopped" | "flattening" | "flat" | "error";
export type ModeWord = "live" | "paper" | "shadow" | "backtest";
export type FailoverWord = "auto" | "sticky";
export type OrphanWord = "stop" | "flatten";
export type StopHowWord = "cancel" | "flatten" | "detach" | "pause";
export type HaltScopeWord = "fleet" | "node" | "account" | "bot";
export type HaltHowWord = "pause" | "cancel" | "flatten";
export type RoleWord = "viewer" | "trader" | "admin";
export type SeverityWord = "info" | "warning" | "critical";
export type LogLevelWord = "debug" | "info" | "warn" | "error";
export type CCmdOpWord = "account" | "account-forget" | "flatten" | "cancel-order" | "watch" | "replay" | "sync" | "query" | "status" | "logs" | "orders" | "record" | "account-check" | "account-test" | "reconcile" | "held" | "late-fill";
export type CDesiredHowWord = "cancel" | "detach";
export type CLeaseRefusedWord = "wait" | "cloned";
export type AccountCheckStateWord = "ok" | "short" | "unchecked";
export type KeyCheckCheckWord = "reach" | "clock" | "keys" | "trade" | "withdraw" | "address";
export type KeyCheckStateWord = "ok" | "warn" | "fail" | "unknown";
export type CmdQueryResultStateWord = "accepted" | "rejected" | "running" | "done" | "failed" | "expired" | "unknown";
export type NodeRowStateWord = "up" | "suspect" | "down" | "lost" | "never";
export type LeaseStateStateWord = "none" | "held" | "waits" | "over";
export type ConfigMqttLibraryWord = "mosquitto" | "paho";
export type CtlStateStateWord = "online" | "offline";
export type EvRecordKindWord = "fill" | "order" | "transition" | "risk" | "funding" | "alarm" | "adjustment" | "state";
export type EvRiskActionWord = "veto" | "clip" | "pause" | "halt";
export type NMdKindWord = "quote" | "trade" | "bar";
export type NPresenceStateWord = "up" | "down" | "lost";
export type NResStateWord = "accepted" | "rejected" | "running" | "done" | "failed" | "expired";
export type BotMoveResultStateWord = "planned" | "releasing" | "moved";
export type HistoryRowKindWord = "desired" | "transition" | "risk" | "alarm" | "order" | "adjustment";
export type CommandShowResultStateWord = "sent" | "accepted" | "rejected" | "running" | "done" | "failed" | "expired" | "unknown";
export type CommandRowStateWord = "sent" | "accepted" | "rejected" | "running" | "done" | "failed" | "expired" | "unknown";
export type HaltBotWhyWord = "node_away" | "not_seen" | "cancelling" | "flattening" | "silent";
export type HealthNodeStateWord = "up" | "suspect" | "down" | "lost" | "never";
export type InstrumentKindWord = "spot" | "perp";
export type InstrumentStatusWord = "trading" | "halted" | "delisted";
export type LoginAddArgsKindWord = "node" | "bridge";
export type LoginAddResultKindWord = "node" | "bridge";
export type LoginRmArgsKindWord = "node" | "bridge";
export type MarketRowStatusWord = "trading" | "halted" | "delisted";
export type PnlArgsByWord = "bot" | "node" | "account";
export type ParamTypeWord = "int" | "double" | "decimal" | "bool" | "enum" | "duration";
export type UiJobStateWord = "queued" | "running" | "done" | "failed" | "cancelled";

/** account: An account as everybody may see it; secrets travel apart and sealed. */
export interface Account {
  /** A name chosen by people. */
  name: string;
  /** A name chosen by people. */
  venue: string;
  /** A simulator or test venue: bots on it need no `live` confirmation. */
  sandbox?: boolean;
  /** Number of its newest key. */
  version: number;
  /** UTC Unix milliseconds. */
  created_ms: number;
}

/** types/leg: One instrument of a bot with several. */
export interface Leg {
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  /** A name chosen by people. */
  venue?: string;
  /** A name chosen by people. */
  account?: string;
}

/** types/risk: Limits between what a bot wants and what it sends. What is absent is not limited, except where a default is named. */
export interface Risk {
  /** Largest order, in quote. */
  max_order_notional?: string;
  /** Largest position either way, in base. */
  max_position?: string;
  /** Largest position either way, in quote at the mark price. */
  max_position_notional?: string;
  /** Resting orders at most. */
  max_open_orders?: number;
  /** Placements in any 60 s. */
  max_orders_per_minute?: number;
  /** How far from the market an order may be priced. */
  price_band_pct?: number;
  /** No new orders on prices older than this; default 10000. */
  stale_ms?: number;
  /** Net loss since 00:00 UTC at which the bot pauses, in quote. */
  max_daily_loss?: string;
  /** Fall of equity from its peak at which the bot pauses. */
  max_drawdown_pct?: number;
  /** The bot pauses at or below this price. */
  price_stop_low?: string;
  /** The bot pauses at or above this price. */
  price_stop_high?: string;
  /** The bot pauses after this time. */
  time_stop_ms?: number;
}

/** types/placement: Where a bot may run. */
export interface Placement {
  /** This node; absent: the controller chooses. */
  node?: string;
  /** Default auto. */
  failover?: FailoverWord;
  /** What an auto bot does without a lease; default stop. */
  on_orphan?: OrphanWord;
  /** Labels that the node must have. */
  labels?: Record<string, unknown>;
  /** Anti-affinity: bots of one such word go to different nodes where they can. */
  apart?: string;
}

/** bot: A bot as people write it, in a manifest or a deploy request. */
export interface Bot {
  /** A name chosen by people. */
  name: string;
  /** One of `flotilla strategy ls`. */
  strategy: string;
  /** Absent only in paper and shadow mode. */
  account?: string;
  /** For paper and shadow without an account; else the account's. */
  venue?: string;
  /** Or `legs`. */
  instrument?: string;
  /** One instrument of a bot with several. */
  legs?: Leg[];
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode: ModeWord;
  /** As the strategy's table says: `flotilla strategy show`. */
  params?: Record<string, unknown>;
  /** Limits between what a bot wants and what it sends. What is absent is not limited, except where a default is named. */
  risk?: Risk;
  /** Where a bot may run. */
  placement?: Placement;
  /** For people. */
  note?: string;
}

/** envelope: What every message on the bus starts with. */
export interface Envelope {
  /** Major version of the contract. */
  v: number;
  /** Unique id of this message. */
  id: string;
  /** When it was made (wall clock of the sender). */
  ts_ms: number;
  /** Who made it: node/<node>, controller, user/<user>. */
  src: string;
  /** Number of the sender's messages since it started. */
  seq?: number;
  /** Epoch of the bot it is about. */
  epoch?: number;
}

/** c/cmd: A command to a node; resent with the same id until it is accepted. */
export interface CCmd extends Envelope {
  term: number;
  op: CCmdOpWord;
  /** A name chosen by people. */
  bot?: string;
  /** See cmd/<op>. */
  args?: Record<string, unknown>;
  /** UTC Unix milliseconds. */
  expires_ms: number;
}

/** types/fill: One trade of ours, as the venue told it. */
export interface Fill {
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  /** The venue's id of the trade. */
  trade_id: string;
  /** The venue's id of the order. */
  order_id: string;
  /** Ours; absent where the venue does not say. */
  client_order_id?: string;
  /** Side of an order or fill. */
  side: SideWord;
  /** An exact decimal (price, quantity, rate) as text. */
  price: string;
  /** Base asset. */
  qty: string;
  /** Above zero: paid; as sent by the venue. */
  fee: string;
  /** An asset: BTC, USDT. */
  fee_asset: string;
  /** Whether the fill made or took. */
  liquidity: LiquidityWord;
  /** The venue's time. */
  ts_ms: number;
}

/** types/trade_key: What tells one booked trade from all others of an account. */
export interface TradeKey {
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  trade_id: string;
  order_id: string;
  /** UTC Unix milliseconds. */
  ts_ms: number;
}

/** types/resume: What a new owner needs to go on where the one before ended: its last state in the books, the fills booked since, and the trades booked last. */
export interface Resume {
  /** The owner before. */
  node: string;
  epoch: number;
  /** Of the owner before, and how far the books have it: whoever has written that stream further knows more than this. */
  stream?: string;
  n?: number;
  /** Of the state: the venue is asked for trades since then. */
  ts_ms: number;
  /** Which books these are: another number after a restore. */
  books?: number;
  /** Number, in these books, of the last fill of the bot that state and fills have. The new owner keeps it in its state. */
  upto?: number;
  /** Snapshot of strategy, sub-ledger, wants and orders; absent: none was ever told. */
  state?: Record<string, unknown>;
  /** Booked after the state. */
  fills?: Fill[];
  /** Booked up to the state, newest first. */
  trades?: TradeKey[];
}

/** c/desired: What a bot should be; the whole document each time. `epoch` of the envelope is the bot's. An empty retained message clears it. */
export interface CDesired extends Envelope {
  term: number;
  /** A name chosen by people. */
  bot: string;
  generation: number;
  /** What a bot should be. */
  run: RunWord;
  /** For stopped: cancel its orders (default) or leave them. */
  how?: CDesiredHowWord;
  /** The node gives the bot up for good once it is stopped. */
  release?: boolean;
  /** A bot as people write it, in a manifest or a deploy request. */
  spec: Bot;
  /** Venue of its market data and orders. */
  venue: string;
  sandbox?: boolean;
  /** For a new owner. */
  resume?: Resume;
  /** With release: the node that has the bot now, under a newer epoch; nothing is asked of the venue. */
  owner?: string;
}

/** c/lease: Answer to heartbeat k: those bots that the node holds as this says may trade until (the node's CLOCK_BOOTTIME when it sent k) + ttl. */
export interface CLease extends Envelope {
  term: number;
  k: number;
  /** A ULID. */
  boot: string;
  incarnation: number;
  ttl_ms: number;
  /** Number of the newest halt. */
  halt: number;
  bots: number;
  /** Over the bots the node should hold; a mismatch is healed by a sync command. */
  bots_hash: string;
  /** msg_bots_hash() with generation 0 over the bots that are the node's: only a node that holds just these takes the grant for them; else the list of a sync command says which. */
  owned_hash?: string;
  /** No grant (ttl 0). wait: the lease of an earlier process has to end first. cloned: another process of this name is alive and holds the lease. */
  refused?: CLeaseRefusedWord;
  /** A sentence, with refused. */
  why?: string;
}

/** types/replay: A range of a stream that somebody lacks. */
export interface Replay {
  /** A ULID. */
  req: string;
  from: number;
  to: number;
}

/** c/sack: How far the controller has a node's stream. */
export interface CSack extends Envelope {
  term: number;
  /** A ULID. */
  stream: string;
  committed: number;
  /** Nodes may prune below it. */
  backed_up: number;
  /** A range of a stream that somebody lacks. */
  replay?: Replay;
  /** From this number on the controller has other records of this stream (the node's disk is older than its books): begin a new stream and tell them again there. */
  conflict?: number;
}

/** cmd/account args */
export interface CmdAccountArgs {
  /** A name chosen by people. */
  account: string;
  /** A name chosen by people. */
  venue: string;
  sandbox?: boolean;
  version: number;
  /** Base64 of the sealed box. */
  sealed: string;
}

/** cmd/account result */
export type CmdAccountResult = Record<string, never>;

/** types/asset_claim: What bots of an account on other nodes say they hold of an asset. */
export interface AssetClaim {
  /** An asset: BTC, USDT. */
  asset: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  claims: string;
}

/** cmd/account-check args */
export interface CmdAccountCheckArgs {
  /** Absent: all of the node. */
  account?: string;
  /** Claims of the account's bots on other nodes, as the controller's books have them now; absent: not known. */
  others?: AssetClaim[];
}

/** types/asset_check: One asset of an account: the sum of the sub-ledgers beside the venue's balance. */
export interface AssetCheck {
  /** An asset: BTC, USDT. */
  asset: string;
  /** Free and locked. */
  venue_total: string;
  /** The sum of what bots hold. */
  claims: string;
  /** Bots that hold some. */
  bots: number;
  /** Missing at the venue; 0: all is there. */
  short: string;
  /** Beyond the books: foreign. */
  surplus: string;
}

/** types/foreign_order: An open order at the venue that is none of ours: reported, never touched. */
export interface ForeignOrder {
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  order_id: string;
  client_order_id: string;
  /** Side of an order or fill. */
  side: SideWord;
  /** An exact decimal (price, quantity, rate) as text. */
  price: string;
  /** An exact decimal (price, quantity, rate) as text. */
  qty: string;
  /** An exact decimal (price, quantity, rate) as text. */
  filled_qty: string;
  /** A bot of this fleet by its id, when this node does not run it. */
  bot?: string;
}

/** types/account_check: What a node found when it last compared an account with the venue. */
export interface AccountCheck {
  /** A name chosen by people. */
  account: string;
  /** A name chosen by people. */
  venue: string;
  /** A name chosen by people. */
  node: string;
  state: AccountCheckStateWord;
  /** Unchecked: why it could not be compared yet. */
  why?: string;
  /** When the venue was asked. */
  checked_ms?: number;
  /** Comparisons so far. */
  checks: number;
  /** One asset of an account: the sum of the sub-ledgers beside the venue's balance. */
  assets: AssetCheck[];
  /** An open order at the venue that is none of ours: reported, never touched. */
  foreign_orders: ForeignOrder[];
  /** Trades of orders that are none of ours, since the node started. */
  foreign_fills: number;
}

/** cmd/account-check result */
export interface CmdAccountCheckResult {
  /** What a node found when it last compared an account with the venue. */
  items: AccountCheck[];
}

/** cmd/account-forget args */
export interface CmdAccountForgetArgs {
  /** A name chosen by people. */
  account: string;
}

/** cmd/account-forget result */
export type CmdAccountForgetResult = Record<string, never>;

/** cmd/account-test args */
export interface CmdAccountTestArgs {
  /** A name chosen by people. */
  account: string;
  /** A name chosen by people. */
  venue: string;
  /** Base64 of the sealed box. */
  sealed: string;
}

/** types/key_check: One thing that was tried of an account's keys. */
export interface KeyCheck {
  /** The venue answers; its clock and ours; it takes the keys; they may trade; they may withdraw (a warning: bots never do); they are bound to addresses. */
  check: KeyCheckCheckWord;
  state: KeyCheckStateWord;
  message: string;
  hint?: string;
}

/** cmd/account-test result */
export interface CmdAccountTestResult {
  /** A name chosen by people. */
  account: string;
  /** A name chosen by people. */
  venue: string;
  /** A name chosen by people. */
  node: string;
  /** Nothing failed; there may be warnings. */
  ok: boolean;
  /** One thing that was tried of an account's keys. */
  checks: KeyCheck[];
}

/** cmd/cancel-order args */
export interface CmdCancelOrderArgs {
  client_order_id: string;
}

/** cmd/cancel-order result */
export type CmdCancelOrderResult = Record<string, never>;

/** cmd/flatten args */
export interface CmdFlattenArgs {
  reason?: string;
}

/** cmd/flatten result */
export type CmdFlattenResult = Record<string, never>;

/** cmd/held args */
export type CmdHeldArgs = Record<string, never>;

/** cmd/held result */
export interface CmdHeldResult {
  desired: Record<string, unknown>;
}

/** cmd/late-fill args */
export interface CmdLateFillArgs {
  /** One trade of ours, as the venue told it. */
  fill: Fill;
}

/** cmd/late-fill result */
export interface CmdLateFillResult {
  /** False: the bot had it already. */
  booked: boolean;
}

/** cmd/logs args */
export interface CmdLogsArgs {
  limit?: number;
}

/** types/log_row: One line of a bot's log. */
export interface LogRow {
  /** UTC Unix milliseconds. */
  ts_ms: number;
  /** Level of a log line. */
  level: LogLevelWord;
  event: string;
  text: string;
}

/** cmd/logs result */
export interface CmdLogsResult {
  /** One line of a bot's log. */
  lines: LogRow[];
}

/** cmd/orders args */
export type CmdOrdersArgs = Record<string, never>;

/** types/order: One order of ours and what is known of it. */
export interface Order {
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  client_order_id: string;
  /** The venue's; absent until it answers. */
  order_id?: string;
  /** The strategy's name of the order. */
  key: number;
  /** The key in words: cell 17 buy. */
  label?: string;
  /** Side of an order or fill. */
  side: SideWord;
  /** Type of an order. */
  type: OrderTypeWord;
  /** How long an order lives. */
  tif?: TifWord;
  post_only?: boolean;
  reduce_only?: boolean;
  /** Absent for market orders. */
  price?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  qty: string;
  /** An exact decimal (price, quantity, rate) as text. */
  filled_qty: string;
  /** What the venue says an order is. */
  status: OrderStatusWord;
  /** True: the outcome of a request is not known yet; the venue is being asked. */
  unknown?: boolean;
  /** Last change. */
  ts_ms: number;
}

/** cmd/orders result */
export interface CmdOrdersResult {
  /** One order of ours and what is known of it. */
  orders: Order[];
  /** UTC Unix milliseconds. */
  as_of_ms: number;
}

/** cmd/query args */
export interface CmdQueryArgs {
  /** A ULID. */
  id: string;
}

/** types/error: Why something was refused or failed. */
export interface Error {
  /** From one table; the exit code of the command line follows from it. */
  code: "not_found" | "invalid_argument" | "conflict" | "denied" | "stale" | "expired" | "insufficient_funds" | "rate_limited" | "venue_error" | "unavailable" | "internal";
  /** A sentence: what is wrong. */
  message: string;
  /** What to do next. */
  hint?: string;
  /** Path of the field: bots[2].params.levels. */
  field?: string;
}

/** cmd/query result */
export interface CmdQueryResult {
  /** A ULID. */
  id: string;
  state: CmdQueryResultStateWord;
  result?: Record<string, unknown>;
  /** Why something was refused or failed. */
  error?: Error;
}

/** cmd/reconcile args */
export interface CmdReconcileArgs {
  /** Book what is missing. */
  accept_venue?: boolean;
  reason?: string;
  /** Who accepted. */
  by?: string;
  /** Claims of the account's bots on other nodes, as the controller's books have them now; absent: not known. */
  others?: AssetClaim[];
}

/** types/drift_leg: One instrument of a bot: its books beside what the venue holds of the account. */
export interface DriftLeg {
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  /** Base: what the position is counted in. */
  asset: string;
  /** This bot's sub-ledger. */
  position: string;
  /** What all bots of the account say they hold of it. */
  account_claims: string;
  /** What the venue holds of it, free and locked. */
  venue_total: string;
  /** What is missing at the venue: account_claims - venue_total, at least 0. */
  short: string;
  /** What the venue holds beyond the books: foreign, never touched. */
  surplus?: string;
}

/** types/drift_order: An order whose executed quantity is not the sum of its booked trades. */
export interface DriftOrder {
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  client_order_id: string;
  order_id?: string;
  /** What the venue says. */
  executed: string;
  /** The sum of the trades that were found. */
  booked: string;
}

/** types/book: A bot's sub-ledger of one instrument after an event; exact sums of its fills (engine/ledger.h). */
export interface Book {
  /** Base asset held; negative is short; fees in base are taken from it. */
  position: string;
  /** Flow of quote since the start: sales in, buys and fees in quote out. */
  cash: string;
  /** Quote paid for that position by average cost; average price = cost / position. */
  cost: string;
  /** cash + cost: profit of what was closed, after fees in quote. */
  realised: string;
  /** Quote traded, both sides. */
  volume: string;
  /** Fees paid by asset, as amounts: {"BNB":"0.01"}. */
  fees?: Record<string, unknown>;
  /** Fills booked so far. */
  fills: number;
}

/** types/ev_adjustment: The books were set to what the venue holds, by a person. No money moved: what a missing quantity had cost is realised as a loss; one that was found costs nothing. */
export interface EvAdjustment {
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  /** A name chosen by people. */
  venue: string;
  /** A name chosen by people. */
  account: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode: ModeWord;
  /** Added to the position; negative takes away. */
  qty: string;
  /** Who accepted. */
  by: string;
  reason: string;
  /** After it. */
  book: Book;
}

/** cmd/reconcile result */
export interface CmdReconcileResult {
  /** UTC Unix milliseconds. */
  as_of_ms: number;
  /** Nothing differs. */
  in_step: boolean;
  /** One instrument of a bot: its books beside what the venue holds of the account. */
  legs: DriftLeg[];
  /** An order whose executed quantity is not the sum of its booked trades. */
  orders: DriftOrder[];
  /** What was booked. */
  adjusted?: EvAdjustment[];
}

/** cmd/record args */
export interface CmdRecordArgs {
  /** 0 ends it. */
  ttl_s: number;
}

/** cmd/record result */
export interface CmdRecordResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  recording: boolean;
  /** Below the node's folder. */
  file: string;
  bytes: number;
  inputs: number;
  outputs: number;
  /** Why, once it has ended. */
  ended?: string;
}

/** cmd/replay args */
export interface CmdReplayArgs {
  /** A ULID. */
  stream: string;
  /** A ULID. */
  req: string;
  from: number;
  to: number;
}

/** cmd/replay result */
export type CmdReplayResult = Record<string, never>;

/** cmd/status args */
export type CmdStatusArgs = Record<string, never>;

/** types/venue_link: A node's connection to a venue. */
export interface VenueLink {
  /** A name chosen by people. */
  venue: string;
  up: boolean;
  /** Since the last market data. */
  age_ms?: number;
  reason?: string;
}

/** types/lease_state: Where a node's lease stands, as the controller counts it. */
export interface LeaseState {
  /** none: never granted; waits: another process of this name holds it or its end is awaited; over: its bots with failover auto may go elsewhere. */
  state: LeaseStateStateWord;
  /** Since the last grant. */
  age_ms?: number;
  /** Until bots may go elsewhere if no grant follows; 0: they may. */
  ends_ms?: number;
  /** Of the holder. */
  host?: string;
  pid?: number;
  why?: string;
}

/** types/node_row: One node in a list. */
export interface NodeRow {
  /** A name chosen by people. */
  node: string;
  /** suspect: no heartbeat for 3.5 s; never: expected but not seen yet. */
  state: NodeRowStateWord;
  /** Since its last heartbeat. */
  age_ms?: number;
  incarnation: number;
  version?: string;
  host?: string;
  pid?: number;
  /** UTC Unix milliseconds. */
  started_ms?: number;
  /** Bots it should run. */
  bots: number;
  /** Bots it says it runs. */
  running?: number;
  capacity?: number;
  rss_bytes?: number;
  loop_lag_us?: number;
  /** Share of one core used. */
  load?: number;
  clock_offset_ms?: number;
  /** Newest record of its stream. */
  head?: number;
  /** Newest record in the controller's books. */
  committed?: number;
  labels?: Record<string, unknown>;
  strategies?: string[];
  /** A node's connection to a venue. */
  venues?: VenueLink[];
  draining?: boolean;
  /** Where a node's lease stands, as the controller counts it. */
  lease?: LeaseState;
  /** Bots it holds that are not its by the controller's list. */
  unclaimed?: string[];
}

/** cmd/status result */
export interface CmdStatusResult {
  /** One node in a list. */
  node: NodeRow;
  counters?: Record<string, unknown>;
}

/** types/bot_ref: Which version of a bot somebody holds. */
export interface BotRef {
  /** A name chosen by people. */
  bot: string;
  epoch: number;
  generation: number;
}

/** cmd/sync args */
export interface CmdSyncArgs {
  last: boolean;
  /** What a bot should be; the whole document each time. `epoch` of the envelope is the bot's. An empty retained message clears it. */
  desired: CDesired[];
  /** Which version of a bot somebody holds. */
  bots: BotRef[];
  /** The heartbeat that the list answers: it grants each bot of it that the node holds with this epoch, as a lease does. Absent: it grants nothing. */
  k?: number;
  /** A ULID. */
  boot?: string;
  incarnation?: number;
  ttl_ms?: number;
}

/** cmd/sync result */
export interface CmdSyncResult {
  applied: number;
  /** A name chosen by people. */
  unclaimed?: string[];
  /** What it holds of the unclaimed. */
  held?: BotRef[];
}

/** cmd/watch args */
export interface CmdWatchArgs {
  /** 0 ends it. */
  ttl_s: number;
}

/** cmd/watch result */
export type CmdWatchResult = Record<string, never>;

/** config/backup: Where and when the controller backs itself up. */
export interface ConfigBackup {
  /** Default: backups in the controller's folder. Better another disk. */
  dir?: string;
  /** Seals the backups: 32 bytes in hex, made when missing. Default: backup.key in the controller's folder. Keep a copy elsewhere. */
  key_file?: string;
  /** Seconds between backups; default 86400, 0: none by itself. */
  every_s?: number;
  /** Newest backups kept; default 14. */
  keep?: number;
  /** The folder that `files` are relative to. */
  root?: string;
  /** Further files of the fleet to put in: logins, configuration. */
  files?: string[];
}

/** config/mqtt: How a daemon reaches the broker. */
export interface ConfigMqtt {
  /** unix:/path, mqtt://host:1883 or mqtts://host:8883. */
  url: string;
  username?: string;
  password_file?: string;
  library?: ConfigMqttLibraryWord;
  ca_file?: string;
  cert_file?: string;
  key_file?: string;
}

/** config/venue: Where a venue is; what is absent is the venue's live address. */
export interface ConfigVenue {
  rest_url?: string;
  stream_url?: string;
  ws_api_url?: string;
  ca_file?: string;
}

/** config/venues: Venues by name. */
export interface ConfigVenues {
  /** Where a venue is; what is absent is the venue's live address. */
  binance?: ConfigVenue;
}

/** config/controller: Configuration of flotilla-controller. */
export interface ConfigController {
  /** A name chosen by people. */
  tenant: string;
  /** A ULID. */
  fleet: string;
  /** Its own folder: controller.db, key. */
  dir: string;
  /** How a daemon reaches the broker. */
  mqtt: ConfigMqtt;
  /** Venues by name. */
  venues?: ConfigVenues;
  /** Where and when the controller backs itself up. */
  backup?: ConfigBackup;
  /** Scales heartbeats, leases and what is counted from them (default 1: beat 1 s, lease 15 s); the same on all nodes and the controller. Tests use 0.1. */
  time_scale?: number;
}

/** config/dashboard: Configuration of flotilla-dashboard. */
export interface ConfigDashboard {
  /** A name chosen by people. */
  tenant: string;
  /** host:port; loopback unless allow_remote. */
  listen: string;
  /** The broker's Unix socket, or `mqtt_url`. */
  mqtt_socket?: string;
  mqtt_url?: string;
  tls_cert?: string;
  tls_key?: string;
  allow_remote?: boolean;
  /** Static files; default: those built in. */
  web_dir?: string;
  /** The dashboard's own login, for /metrics and /healthz; people bring theirs. */
  mqtt_username?: string;
  mqtt_password_file?: string;
  /** The fleet's folder: backtests/ in it is shown. */
  fleet_dir?: string;
  /** A session whose person does nothing ends after this; 0: never. Default 12 hours. */
  session_idle_s?: number;
}

/** config/ports: Ports of a fleet on this machine. */
export interface ConfigPorts {
  dashboard: number;
  sim?: number;
  sim_control?: number;
  mqtt?: number;
}

/** config/fleet: The fleet folder's own file: what `flotilla up` made; no secrets. */
export interface ConfigFleet {
  /** A name chosen by people. */
  tenant: string;
  /** A ULID. */
  fleet: string;
  /** UTC Unix milliseconds. */
  created_ms: number;
  demo?: boolean;
  /** Of nodes and controller (config/node). */
  time_scale?: number;
  /** Ports of a fleet on this machine. */
  ports: ConfigPorts;
  /** A name chosen by people. */
  nodes: string[];
}

/** config/node: Configuration of flotilla-node. */
export interface ConfigNode {
  /** A name chosen by people. */
  tenant: string;
  /** A ULID. */
  fleet: string;
  /** A name chosen by people. */
  node: string;
  /** Its own folder: journal, intents, key. */
  dir: string;
  /** How a daemon reaches the broker. */
  mqtt: ConfigMqtt;
  /** Venues by name. */
  venues?: ConfigVenues;
  /** Bots at most; default 1000. */
  capacity?: number;
  labels?: Record<string, unknown>;
  /** Scales heartbeats, leases and what is counted from them (default 1: beat 1 s, lease 15 s); the same on all nodes and the controller. Tests use 0.1. */
  time_scale?: number;
}

/** types/halt: One halt in force. */
export interface Halt {
  number: number;
  /** What a halt covers. */
  scope: HaltScopeWord;
  /** Node, account or bot; absent for the fleet. */
  target?: string;
  /** What a halt does. */
  how: HaltHowWord;
  reason: string;
  /** Who asked. */
  by: string;
  /** UTC Unix milliseconds. */
  ts_ms: number;
}

/** ctl/halt: All halts in force; lower numbers are ignored. */
export interface CtlHalt extends Envelope {
  term: number;
  /** Counts every change of the list. */
  number: number;
  /** One halt in force. */
  halts: Halt[];
}

/** ctl/state: Whether the controller is there, and its term. */
export interface CtlState extends Envelope {
  state: CtlStateStateWord;
  term: number;
  incarnation: number;
  version?: string;
}

/** manifest: A file of bots for `flotilla apply -f`. */
export interface Manifest {
  /** A bot as people write it, in a manifest or a deploy request. */
  bots: Bot[];
}

/** types/ev_fill: A fill with where it belongs and the sub-ledger after it. */
export interface EvFill extends Fill {
  /** A name chosen by people. */
  venue: string;
  /** "paper" where there is none. */
  account: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode: ModeWord;
  key?: number;
  /** A bot's sub-ledger of one instrument after an event; exact sums of its fills (engine/ledger.h). */
  book: Book;
}

/** types/ev_order: An order that ended. */
export interface EvOrder extends Order {
  /** A name chosen by people. */
  venue: string;
  /** A name chosen by people. */
  account: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode: ModeWord;
  reason?: string;
}

/** types/reason: Why a bot is in its phase, for programs and for people. */
export interface Reason {
  /** A word: manual, halted, no_account, stale_market, risk_daily_loss. */
  code: string;
  /** A sentence. */
  message: string;
}

/** types/ev_transition: A bot changed its phase. */
export interface EvTransition {
  /** What a bot is. */
  from: PhaseWord;
  /** What a bot is. */
  to: PhaseWord;
  generation: number;
  /** Why a bot is in its phase, for programs and for people. */
  reason?: Reason;
}

/** types/ev_risk: A risk rule acted. */
export interface EvRisk {
  rule: string;
  action: EvRiskActionWord;
  message: string;
  value?: string;
  limit?: string;
}

/** types/ev_funding: A funding payment of a perpetual. */
export interface EvFunding {
  /** A name chosen by people. */
  venue: string;
  /** A name chosen by people. */
  account: string;
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  funding_id: string;
  /** An asset: BTC, USDT. */
  asset: string;
  /** Above zero: received. */
  amount: string;
}

/** types/ev_alarm: Something people must know. */
export interface EvAlarm {
  code: string;
  /** How bad it is. */
  severity: SeverityWord;
  message: string;
}

/** types/ev_state: A node has given a bot up, with its last state: what a new owner goes on from. The release is journaled with this record, and nothing is sent for the bot any more. */
export interface EvState {
  /** As the journal has it; absent: the bot never ran here. */
  state?: Record<string, unknown>;
  /** The node has given the bot up: the release is journaled, and nothing is sent for it any more. */
  final?: boolean;
  generation: number;
}

/** types/ev_record: One record of a node's stream; the member named by `kind` is there. */
export interface EvRecord {
  /** Its number; without gaps. */
  n: number;
  kind: EvRecordKindWord;
  /** A name chosen by people. */
  bot: string;
  epoch: number;
  /** UTC Unix milliseconds. */
  ts_ms: number;
  /** A fill with where it belongs and the sub-ledger after it. */
  fill?: EvFill;
  /** An order that ended. */
  order?: EvOrder;
  /** A bot changed its phase. */
  transition?: EvTransition;
  /** A risk rule acted. */
  risk?: EvRisk;
  /** A funding payment of a perpetual. */
  funding?: EvFunding;
  /** Something people must know. */
  alarm?: EvAlarm;
  /** The books were set to what the venue holds, by a person. No money moved: what a missing quantity had cost is realised as a loss; one that was found costs nothing. */
  adjustment?: EvAdjustment;
  /** A node has given a bot up, with its last state: what a new owner goes on from. The release is journaled with this record, and nothing is sent for the bot any more. */
  state?: EvState;
}

/** n/ev: A batch of a node's numbered stream, published after its commit. */
export interface NEv extends Envelope {
  /** A ULID. */
  stream: string;
  /** Number of the first record. */
  first: number;
  /** One record of a node's stream; the member named by `kind` is there. */
  records: EvRecord[];
}

/** n/fill: A fill, while somebody watches; the books come from n/ev. */
export interface NFill extends Envelope {
  /** A name chosen by people. */
  bot: string;
  /** One trade of ours, as the venue told it. */
  fill: Fill;
  /** A bot's sub-ledger of one instrument after an event; exact sums of its fills (engine/ledger.h). */
  book?: Book;
}

/** n/hb: A node's heartbeat, every second. */
export interface NHb extends Envelope {
  /** Number of the heartbeat since the process started. */
  k: number;
  incarnation: number;
  /** A ULID. */
  boot: string;
  /** Monotonic clock when it was sent. */
  mono_ms: number;
  /** CLOCK_BOOTTIME when it was sent: leases count from it. */
  boot_ms: number;
  /** A ULID. */
  stream: string;
  /** Newest record of its stream. */
  head: number;
  /** Bots it holds. */
  bots: number;
  running?: number;
  /** msg_bots_hash() over all bots it holds. */
  bots_hash: string;
  /** Share of one core since the last one. */
  load?: number;
  rss_bytes?: number;
  /** What its allocator has given out, as of the last look (every 15 s). */
  heap_bytes?: number;
  /** Of that, SQLite's: pages, statements. */
  cache_bytes?: number;
  loop_lag_us?: number;
  /** Venue clock minus ours. */
  clock_offset_ms?: number;
  /** Number of the newest halt it knows. */
  halt?: number;
  term?: number;
  /** A node's connection to a venue. */
  venues?: VenueLink[];
  /** Messages refused since the process started, by kind: {"old_term":2}. */
  refused?: Record<string, unknown>;
  /** As in presence. */
  place?: string;
}

/** n/live: A bot from close by, a few times a second, while somebody watches. */
export interface NLive extends Envelope {
  /** A name chosen by people. */
  bot: string;
  /** What a bot is. */
  phase: PhaseWord;
  /** An exact decimal (price, quantity, rate) as text. */
  price?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  bid?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  ask?: string;
  /** A bot's sub-ledger of one instrument after an event; exact sums of its fills (engine/ledger.h). */
  book?: Book;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  unrealised?: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  equity?: string;
  /** One order of ours and what is known of it. */
  orders: Order[];
  /** The strategy's state by field. */
  state?: Record<string, unknown>;
  note?: string;
}

/** n/log: A line of a bot's log, while somebody watches. */
export interface NLog extends Envelope {
  /** A name chosen by people. */
  bot: string;
  /** One line of a bot's log. */
  line: LogRow;
}

/** types/candle: One candle. */
export interface Candle {
  /** Open time. */
  ts_ms: number;
  /** An exact decimal (price, quantity, rate) as text. */
  open: string;
  /** An exact decimal (price, quantity, rate) as text. */
  high: string;
  /** An exact decimal (price, quantity, rate) as text. */
  low: string;
  /** An exact decimal (price, quantity, rate) as text. */
  close: string;
  /** An exact decimal (price, quantity, rate) as text. */
  volume: string;
}

/** n/md: Shared market data, latest wins. */
export interface NMd extends Envelope {
  /** A name chosen by people. */
  venue: string;
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  kind: NMdKindWord;
  /** An exact decimal (price, quantity, rate) as text. */
  bid?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  ask?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  last?: string;
  /** One candle. */
  candle?: Candle;
  closed?: boolean;
}

/** n/order: An order changed, while somebody watches. */
export interface NOrder extends Envelope {
  /** A name chosen by people. */
  bot: string;
  /** One order of ours and what is known of it. */
  order: Order;
  reason?: string;
}

/** types/journal: Where a node's numbered stream stands. */
export interface Journal {
  /** Id of the stream; a lost disk gives a new one. */
  stream: string;
  /** Oldest record still there; 0: none yet. */
  first: number;
  /** Newest record; 0: none yet. */
  head: number;
}

/** n/presence: Birth, clean end, or death (the will) of a node's connection. Of two words the one with the greater incarnation holds; of equals, down and lost beat up. */
export interface NPresence extends Envelope {
  state: NPresenceStateWord;
  /** Stored and incremented before every connect; the same in will and birth. */
  incarnation: number;
  /** Of this process; new at each start. */
  boot: string;
  /** Kernel boot id. */
  kernel_boot?: string;
  host?: string;
  pid?: number;
  version?: string;
  /** UTC Unix milliseconds. */
  started_ms?: number;
  /** Time between heartbeats. */
  hb_ms?: number;
  /** Bots it can hold. */
  capacity?: number;
  labels?: Record<string, unknown>;
  strategies?: string[];
  venues?: string[];
  /** Public key that secrets for this node are sealed to. */
  box_key?: string;
  /** Where a node's numbered stream stands. */
  journal?: Journal;
  /** Highest controller term it has seen. */
  term?: number;
  /** Hash of kernel boot id, journal id and the lock file's device and inode: a process of an equal place holds the lock that the one before held, so that one is dead. */
  place?: string;
}

/** n/res: A node's answer to a command: accepted once its id is journaled, then the result. */
export interface NRes extends Envelope {
  /** Id of the command. */
  re: string;
  op: string;
  state: NResStateWord;
  /** A name chosen by people. */
  bot?: string;
  result?: Record<string, unknown>;
  /** Why something was refused or failed. */
  error?: Error;
  /** Time since it was received. */
  t_us?: number;
}

/** n/rp: A batch of a replay: the same records under the same numbers. */
export interface NRp extends Envelope {
  /** The replay request it answers. */
  req: string;
  /** A ULID. */
  stream: string;
  /** Number of the first record; 0 when there are none. */
  first: number;
  /** The replay ends with this batch. */
  last: boolean;
  /** Oldest record still there, when it is above what was asked for. */
  oldest?: number;
  /** One record of a node's stream; the member named by `kind` is there. */
  records: EvRecord[];
}

/** n/sig: A signal of one bot for others. */
export interface NSig extends Envelope {
  /** One level of a topic. */
  source: string;
  /** A name chosen by people. */
  bot?: string;
  /** UTC Unix milliseconds. */
  expires_ms?: number;
  signal: Record<string, unknown>;
}

/** n/snap: A bot's snapshot after all records of its stream up to `n`, sent when it has changed, seconds apart: what a new owner would go on from. Told after the commit of `n`. */
export interface NSnap extends Envelope {
  /** A name chosen by people. */
  bot: string;
  /** A ULID. */
  stream: string;
  /** The stream's newest record when it was taken. */
  n: number;
  generation: number;
  state: Record<string, unknown>;
}

/** types/risk_state: Where a bot stands against its limits. */
export interface RiskState {
  /** Net result since 00:00 UTC. */
  daily?: string;
  drawdown_pct?: number;
  /** Wants refused since start. */
  vetoes?: number;
  /** Rule that pauses it now. */
  rule?: string;
}

/** n/state: What is true of a bot now; on change and every minute. `epoch` of the envelope is the bot's. */
export interface NState extends Envelope {
  /** A name chosen by people. */
  bot: string;
  incarnation: number;
  /** Of the desired document that is applied. */
  generation: number;
  /** What a bot should be. */
  run: RunWord;
  /** What a bot is. */
  phase: PhaseWord;
  /** Why a bot is in its phase, for programs and for people. */
  reason?: Reason;
  /** In this phase since. */
  since_ms: number;
  strategy: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode: ModeWord;
  /** A name chosen by people. */
  venue?: string;
  /** A name chosen by people. */
  account?: string;
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument?: string;
  /** A bot's sub-ledger of one instrument after an event; exact sums of its fills (engine/ledger.h). */
  book: Book;
  /** An exact decimal (price, quantity, rate) as text. */
  average_price?: string;
  /** Mark price: last trade, else mid. */
  price?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  bid?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  ask?: string;
  price_age_ms?: number;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  unrealised?: string;
  /** Realised + unrealised. */
  equity?: string;
  orders_open: number;
  /** Where a bot stands against its limits. */
  risk?: RiskState;
  /** What the strategy says. */
  note?: string;
  /** Number of the newest list of halts it obeys. */
  halt?: number;
  /** When stopped or flat: the venue listed no open order of it then. */
  checked_ms?: number;
  /** The venue shows an order of it with this epoch, which is above its own: nothing is sent until it has a newer one. */
  epoch_seen?: number;
}

/** req/account-add args */
export interface AccountAddArgs {
  /** A name chosen by people. */
  name: string;
  /** A name chosen by people. */
  venue: string;
  sandbox?: boolean;
  /** Base64 of a box sealed to account-key, aad "account-add:<tenant>:<name>", of JSON {key, secret | private_key_pem, passphrase?}. */
  credentials_sealed?: string;
}

/** req/account-add result */
export interface AccountAddResult {
  /** An account as everybody may see it; secrets travel apart and sealed. */
  account: Account;
}

/** req/account-check args */
export interface AccountCheckArgs {
  /** A name chosen by people. */
  account?: string;
}

/** req/account-check result */
export interface AccountCheckResult {
  /** What a node found when it last compared an account with the venue. */
  items: AccountCheck[];
  /** Nodes that did not answer. */
  missing?: string[];
}

/** req/account-key args */
export type AccountKeyArgs = Record<string, never>;

/** req/account-key result */
export interface AccountKeyResult {
  /** A public key of 32 bytes in hex. */
  box_key: string;
}

/** req/account-ls args */
export interface AccountLsArgs {
  /** Items at most. */
  limit?: number;
  /** `next` of the page before. */
  after?: string;
}

/** types/account_row: One account in a list. */
export interface AccountRow extends Account {
  /** Bots that use it. */
  bots: number;
  /** Whether its keys are stored. */
  keyed: boolean;
}

/** req/account-ls result */
export interface AccountLsResult {
  /** One account in a list. */
  items: AccountRow[];
  next?: string;
}

/** req/account-rm args */
export interface AccountRmArgs {
  /** A name chosen by people. */
  name: string;
}

/** req/account-rm result */
export interface AccountRmResult {
  /** A name chosen by people. */
  name: string;
}

/** req/account-test args */
export interface AccountTestArgs {
  /** A name chosen by people. */
  name: string;
  /** Of an account that is not there yet. */
  venue?: string;
  /** Which tries them; none: the first that is up. */
  node?: string;
  /** As of account-add; they are tried and not kept. Without: the keys that are kept. */
  credentials_sealed?: string;
}

/** req/account-test result */
export interface AccountTestResult {
  /** A name chosen by people. */
  account: string;
  /** A name chosen by people. */
  venue: string;
  /** A name chosen by people. */
  node: string;
  /** Nothing failed; there may be warnings. */
  ok: boolean;
  /** One thing that was tried of an account's keys. */
  checks: KeyCheck[];
}

/** req/alert-ack args */
export interface AlertAckArgs {
  /** One level of a topic. */
  alert: string;
  note?: string;
}

/** types/alert_row: One alert, in force or over. */
export interface AlertRow {
  /** Its number in the books. */
  id: number;
  /** One level of a topic. */
  alert: string;
  /** How bad it is. */
  severity: SeverityWord;
  code: string;
  message: string;
  target?: string;
  /** UTC Unix milliseconds. */
  since_ms: number;
  /** When it was last seen to hold. */
  last_ms: number;
  /** How often it was raised. */
  count: number;
  /** Absent: in force. */
  cleared_ms?: number;
  /** UTC Unix milliseconds. */
  acked_ms?: number;
  acked_by?: string;
  note?: string;
}

/** req/alert-ack result */
export interface AlertAckResult {
  /** One alert, in force or over. */
  alert: AlertRow;
}

/** req/alert-ls args */
export interface AlertLsArgs {
  /** Only those in force (true) or over (false). */
  active?: boolean;
  limit?: number;
  /** `id` of the last one of the page before. */
  after?: number;
}

/** req/alert-ls result */
export interface AlertLsResult {
  /** One alert, in force or over. */
  items: AlertRow[];
  next?: number;
}

/** req/apply args */
export interface ApplyArgs {
  /** A bot as people write it, in a manifest or a deploy request. */
  bots: Bot[];
  live?: boolean;
  start?: boolean;
  dry_run?: boolean;
}

/** types/deployed: What a deploy recorded for one bot. */
export interface Deployed {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** What was recorded; the bot has it when its state says so. */
  generation: number;
  epoch: number;
  /** What a bot should be. */
  run: RunWord;
  created: boolean;
  /** False: it was so already. */
  changed: boolean;
  warnings?: string[];
}

/** req/apply result */
export interface ApplyResult {
  /** What a deploy recorded for one bot. */
  bots: Deployed[];
}

/** req/audit-ls args */
export interface AuditLsArgs {
  limit?: number;
  /** `n` of the last one of the page before. */
  after?: number;
  /** Only of this user. */
  who?: string;
  verb?: string;
  target?: string;
  /** Only those that were done (true) or refused (false). */
  ok?: boolean;
  /** UTC Unix milliseconds. */
  since_ms?: number;
}

/** types/audit_row: One command as it was asked and answered. */
export interface AuditRow {
  n: number;
  /** UTC Unix milliseconds. */
  ts_ms: number;
  user: string;
  verb: string;
  target?: string;
  /** Start of its arguments, without secrets. */
  args: string;
  /** SHA-256 of its arguments. */
  digest: string;
  ok: boolean;
  code?: string;
  message?: string;
  /** Where it came from: the client's words and its session. */
  origin?: string;
  /** What it changed, each as key: old -> new, with semicolons between: "run: running -> stopped; params.levels: 20 -> 40"; - for nothing. Of several bots, the bot stands before the key. */
  changes?: string;
  /** Of the request. */
  id?: string;
}

/** req/audit-ls result */
export interface AuditLsResult {
  /** One command as it was asked and answered. */
  items: AuditRow[];
  next?: number;
}

/** req/backup-create args */
export type BackupCreateArgs = Record<string, never>;

/** types/backup_row: One backup of the controller's database and keys, from its manifest. */
export interface BackupRow {
  /** File in the backups' folder. */
  name: string;
  /** UTC Unix milliseconds. */
  created_ms: number;
  bytes: number;
  /** Of the controller that wrote it. */
  version?: string;
  term?: number;
  /** In its books. */
  fills?: number;
  bots?: number;
}

/** req/backup-create result */
export interface BackupCreateResult {
  /** One backup of the controller's database and keys, from its manifest. */
  backup: BackupRow;
  path: string;
}

/** req/backup-ls args */
export type BackupLsArgs = Record<string, never>;

/** req/backup-ls result */
export interface BackupLsResult {
  dir: string;
  /** One backup of the controller's database and keys, from its manifest. */
  items: BackupRow[];
  /** UTC Unix milliseconds. */
  next_ms?: number;
  /** Why the last one failed; absent: it did not. */
  failed?: string;
}

/** req/bot-adopt args */
export interface BotAdoptArgs {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** The node cancels its orders and gives it up. */
  release?: boolean;
}

/** req/bot-adopt result */
export interface BotAdoptResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  epoch: number;
  generation: number;
  /** What a bot should be. */
  run: RunWord;
  released: boolean;
}

/** req/bot-deploy args */
export interface BotDeployArgs {
  /** A bot as people write it, in a manifest or a deploy request. */
  bot: Bot;
  /** Default true: it should run; false: stopped. */
  start?: boolean;
  /** Needed for mode live on an account that is not a sandbox. */
  live?: boolean;
  /** Check only. */
  dry_run?: boolean;
}

/** req/bot-deploy result */
export interface BotDeployResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** What was recorded; the bot has it when its state says so. */
  generation: number;
  epoch: number;
  /** What a bot should be. */
  run: RunWord;
  created: boolean;
  /** False: it was so already. */
  changed: boolean;
  warnings?: string[];
}

/** req/bot-equity args */
export interface BotEquityArgs {
  /** A name chosen by people. */
  bot: string;
  /** UTC Unix milliseconds. */
  since_ms?: number;
  limit?: number;
}

/** types/equity_point: Equity of a bot at a time. */
export interface EquityPoint {
  /** UTC Unix milliseconds. */
  ts_ms: number;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  equity: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  position: string;
  /** An exact decimal (price, quantity, rate) as text. */
  price?: string;
}

/** req/bot-equity result */
export interface BotEquityResult {
  /** Equity of a bot at a time. */
  points: EquityPoint[];
}

/** req/bot-fills args */
export interface BotFillsArgs {
  /** A name chosen by people. */
  bot?: string;
  limit?: number;
  /** Id of the last one of the page before: older ones follow. */
  after?: number;
  /** UTC Unix milliseconds. */
  since_ms?: number;
}

/** types/fill_row: One fill of the books. */
export interface FillRow extends Fill {
  /** Its number in the books; pages go on after it. */
  id: number;
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** A name chosen by people. */
  venue: string;
  /** A name chosen by people. */
  account: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode: ModeWord;
  epoch: number;
}

/** req/bot-fills result */
export interface BotFillsResult {
  /** One fill of the books. */
  items: FillRow[];
  next?: number;
}

/** req/bot-history args */
export interface BotHistoryArgs {
  /** A name chosen by people. */
  bot: string;
  limit?: number;
  /** `id` of the last one of the page before. */
  after?: number;
}

/** types/spec_change: One key of a manifest that changed. */
export interface SpecChange {
  /** params.levels */
  path: string;
  /** Absent: it was not there. */
  old?: string;
  /** Absent: it is gone. */
  new?: string;
}

/** types/generation_row: What a bot was to be from a moment on, by whom, and what differs from before. */
export interface GenerationRow {
  id: number;
  /** UTC Unix milliseconds. */
  ts_ms: number;
  generation: number;
  epoch: number;
  /** user/admin; controller for its own doing. */
  by: string;
  /** From where: the `src` of the request. */
  origin?: string;
  /** What was asked: deploy, stop ... */
  what: string;
  /** What a bot should be. */
  run: RunWord;
  /** A name chosen by people. */
  node: string;
  /** One key of a manifest that changed. */
  changes: SpecChange[];
  /** The whole manifest of that generation. */
  spec: Record<string, unknown>;
}

/** req/bot-history result */
export interface BotHistoryResult {
  /** What a bot was to be from a moment on, by whom, and what differs from before. */
  items: GenerationRow[];
  next?: number;
}

/** req/bot-logs args */
export interface BotLogsArgs {
  /** A name chosen by people. */
  bot: string;
  limit?: number;
}

/** req/bot-logs result */
export interface BotLogsResult {
  /** One line of a bot's log. */
  lines: LogRow[];
}

/** types/bot_filter: Which bots. */
export interface BotFilter {
  /** A name chosen by people. */
  node?: string;
  strategy?: string;
  /** What a bot is. */
  phase?: PhaseWord;
  /** A name chosen by people. */
  account?: string;
  /** Part of name or instrument. */
  text?: string;
}

/** req/bot-ls args */
export interface BotLsArgs {
  /** Which bots. */
  filter?: BotFilter;
  /** Items at most. */
  limit?: number;
  /** `next` of the page before. */
  after?: string;
}

/** types/bot_row: One bot in a list: what it should be, what it says it is, and how old that is. */
export interface BotRow {
  /** A name chosen by people. */
  bot: string;
  strategy: string;
  /** A name chosen by people. */
  venue?: string;
  /** A name chosen by people. */
  account?: string;
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument?: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode: ModeWord;
  /** A name chosen by people. */
  node: string;
  /** What it should be. */
  run: RunWord;
  /** What it says; absent: never heard of. */
  phase?: PhaseWord;
  /** Why a bot is in its phase, for programs and for people. */
  reason?: Reason;
  /** Of what it should be. */
  generation: number;
  /** Generation the node has applied. */
  applied?: number;
  epoch: number;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  position?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  price?: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  realised?: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  unrealised?: string;
  /** Realised + unrealised. */
  equity?: string;
  /** Fees paid by asset. */
  fees?: Record<string, unknown>;
  /** Booked by the controller. */
  fills: number;
  orders_open?: number;
  /** Of the bot's last word. */
  age_ms?: number;
  /** Its node has said that it holds it under this epoch. */
  claimed?: boolean;
  /** The node that may trade it now; absent while nobody may (it moves, or its node's lease is over). */
  owner?: string;
  /** Its node is giving it up for this one. */
  moving_to?: string;
  /** auto: may be moved by the controller; sticky: goes on through any outage and is never moved without an operator. */
  failover?: FailoverWord;
}

/** req/bot-ls result */
export interface BotLsResult {
  /** One bot in a list: what it should be, what it says it is, and how old that is. */
  items: BotRow[];
  next?: string;
}

/** req/bot-move args */
export interface BotMoveArgs {
  /** A name chosen by people. */
  bot: string;
  /** Absent: the controller chooses. */
  node?: string;
  /** For a sticky bot whose node does not answer: you know that it is dead for good, and it is taken over without a release. */
  force?: boolean;
  dry_run?: boolean;
}

/** req/bot-move result */
export interface BotMoveResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  from: string;
  /** A name chosen by people. */
  to: string;
  epoch: number;
  generation: number;
  state: BotMoveResultStateWord;
}

/** req/bot-orders args */
export interface BotOrdersArgs {
  /** A name chosen by people. */
  bot: string;
}

/** req/bot-orders result */
export interface BotOrdersResult {
  /** One order of ours and what is known of it. */
  orders: Order[];
  /** UTC Unix milliseconds. */
  as_of_ms: number;
}

/** req/bot-pause args */
export interface BotPauseArgs {
  /** A name chosen by people. */
  bot: string;
}

/** req/bot-pause result */
export interface BotPauseResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** What was recorded; the bot has it when its state says so. */
  generation: number;
  epoch: number;
  /** What a bot should be. */
  run: RunWord;
}

/** req/bot-reconcile args */
export interface BotReconcileArgs {
  /** A name chosen by people. */
  bot: string;
  /** Book what the venue holds; for admins, and with a reason. */
  accept_venue?: boolean;
  reason?: string;
}

/** req/bot-reconcile result */
export interface BotReconcileResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** UTC Unix milliseconds. */
  as_of_ms: number;
  /** Nothing differs. */
  in_step: boolean;
  /** One instrument of a bot: its books beside what the venue holds of the account. */
  legs: DriftLeg[];
  /** An order whose executed quantity is not the sum of its booked trades. */
  orders: DriftOrder[];
  /** What was booked. */
  adjusted?: EvAdjustment[];
}

/** req/bot-record args */
export interface BotRecordArgs {
  /** A name chosen by people. */
  bot: string;
  /** Default 60; 0 ends it. */
  ttl_s?: number;
}

/** req/bot-record result */
export interface BotRecordResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  recording: boolean;
  /** Below the node's folder. */
  file: string;
  bytes: number;
  inputs: number;
  outputs: number;
  /** Why, once it has ended. */
  ended?: string;
}

/** req/bot-resume args */
export interface BotResumeArgs {
  /** A name chosen by people. */
  bot: string;
}

/** req/bot-resume result */
export interface BotResumeResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** What was recorded; the bot has it when its state says so. */
  generation: number;
  epoch: number;
  /** What a bot should be. */
  run: RunWord;
}

/** req/bot-rm args */
export interface BotRmArgs {
  /** A name chosen by people. */
  bot: string;
  /** Also when it still runs or holds a position: it is stopped first. */
  force?: boolean;
}

/** req/bot-rm result */
export interface BotRmResult {
  /** A name chosen by people. */
  bot: string;
  /** False: it goes once the node has released it. */
  removed: boolean;
}

/** req/bot-show args */
export interface BotShowArgs {
  /** A name chosen by people. */
  bot: string;
}

/** types/history_row: One change in a bot's life. */
export interface HistoryRow {
  /** UTC Unix milliseconds. */
  ts_ms: number;
  kind: HistoryRowKindWord;
  text: string;
  epoch?: number;
  generation?: number;
  by?: string;
}

/** req/bot-show result */
export interface BotShowResult {
  /** One bot in a list: what it should be, what it says it is, and how old that is. */
  bot: BotRow;
  /** A bot as people write it, in a manifest or a deploy request. */
  spec: Bot;
  /** What is true of a bot now; on change and every minute. `epoch` of the envelope is the bot's. */
  state?: NState;
  /** One change in a bot's life. */
  history: HistoryRow[];
}

/** req/bot-start args */
export interface BotStartArgs {
  /** A name chosen by people. */
  bot: string;
}

/** req/bot-start result */
export interface BotStartResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** What was recorded; the bot has it when its state says so. */
  generation: number;
  epoch: number;
  /** What a bot should be. */
  run: RunWord;
}

/** req/bot-stop args */
export interface BotStopArgs {
  /** A name chosen by people. */
  bot: string;
  /** Default cancel. */
  how?: StopHowWord;
}

/** req/bot-stop result */
export interface BotStopResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** What was recorded; the bot has it when its state says so. */
  generation: number;
  epoch: number;
  /** What a bot should be. */
  run: RunWord;
}

/** req/bot-watch args */
export interface BotWatchArgs {
  /** A name chosen by people. */
  bot: string;
  /** Default 30; 0 ends it. */
  ttl_s?: number;
}

/** req/bot-watch result */
export interface BotWatchResult {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** UTC Unix milliseconds. */
  until_ms: number;
}

/** req/candles args */
export interface CandlesArgs {
  /** A name chosen by people. */
  venue: string;
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  /** Length of a candle: 1m, 5m, 1h, 1d. */
  timeframe: string;
  limit?: number;
  /** UTC Unix milliseconds. */
  since_ms?: number;
}

/** req/candles result */
export interface CandlesResult {
  /** One candle. */
  candles: Candle[];
}

/** req/command-show args */
export interface CommandShowArgs {
  /** Of the request or the command. */
  id: string;
}

/** types/command_row: A command to a node that a request sent, with when each of its two answers came. */
export interface CommandRow {
  /** A ULID. */
  id: string;
  /** A name chosen by people. */
  node: string;
  op: string;
  /** A name chosen by people. */
  bot?: string;
  state: CommandRowStateWord;
  /** UTC Unix milliseconds. */
  created_ms: number;
  /** First answer: journaled, will be carried out. */
  accepted_ms?: number;
  /** Second answer: done, failed, rejected or expired. */
  ended_ms?: number;
  /** Why something was refused or failed. */
  error?: Error;
}

/** req/command-show result */
export interface CommandShowResult {
  /** One level of a topic. */
  id: string;
  /** A name chosen by people. */
  node?: string;
  op?: string;
  /** A name chosen by people. */
  bot?: string;
  state: CommandShowResultStateWord;
  /** UTC Unix milliseconds. */
  created_ms: number;
  /** UTC Unix milliseconds. */
  changed_ms: number;
  result?: Record<string, unknown>;
  /** Why something was refused or failed. */
  error?: Error;
  /** Of a request. */
  verb?: string;
  /** Of a request: who asked. */
  user?: string;
  /** First answer: journaled, will be carried out. */
  accepted_ms?: number;
  /** Second answer: done, failed, rejected or expired. */
  ended_ms?: number;
  /** Commands to nodes that the request sent, in their order. */
  commands?: CommandRow[];
}

/** req/halt args */
export interface HaltArgs {
  /** What a halt covers. */
  scope: HaltScopeWord;
  /** A name chosen by people. */
  target?: string;
  /** Default pause. */
  how?: HaltHowWord;
  reason: string;
}

/** req/halt result */
export interface HaltResult {
  number: number;
  /** One halt in force. */
  halts: Halt[];
}

/** req/halt-ls args */
export type HaltLsArgs = Record<string, never>;

/** req/halt-ls result */
export interface HaltLsResult {
  number: number;
  /** One halt in force. */
  halts: Halt[];
}

/** req/halt-show args */
export interface HaltShowArgs {
  /** Absent: the newest. */
  number?: number;
}

/** types/halt_bot: How far one bot is with a halt. */
export interface HaltBot {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  /** It obeys: no new entries; with cancel no order is open; with flatten it is flat. */
  confirmed: boolean;
  /** What a bot is. */
  phase?: PhaseWord;
  orders_open?: number;
  /** Newest number it has seen. */
  halt?: number;
  why?: HaltBotWhyWord;
  message?: string;
  /** Of its last word. */
  age_ms?: number;
}

/** req/halt-show result */
export interface HaltShowResult {
  number: number;
  in_force: boolean;
  /** When it is in force. */
  halt?: Halt;
  /** Bots it covers. */
  covered: number;
  confirmed: number;
  /** Those that have not confirmed. */
  waiting: HaltBot[];
  /** All it covers, up to 1,000. */
  bots?: HaltBot[];
}

/** req/health args */
export type HealthArgs = Record<string, never>;

/** types/health_controller: The controller in figures. */
export interface HealthController {
  version: string;
  uptime_ms: number;
  term: number;
  rss_bytes: number;
  /** Processor time used since its start. */
  cpu_ms: number;
  /** Longest delay of a timer in the last 10 s. */
  loop_lag_us: number;
  messages_in: number;
  messages_out: number;
  messages_dropped: number;
  connects: number;
  /** Messages that wait for the broker. */
  queue_out: number;
  commands_open: number;
  requests: number;
  requests_refused: number;
  fills: number;
  /** Age of the newest fill when it was booked. */
  fills_lag_ms: number;
  /** Records of streams booked since its start. */
  records: number;
  /** In force. */
  alerts: number;
  alerts_raised: number;
  db_bytes: number;
  wal_bytes: number;
  bots: number;
  nodes: number;
  nodes_up: number;
}

/** types/health_node: A node in figures. */
export interface HealthNode {
  /** A name chosen by people. */
  node: string;
  state: HealthNodeStateWord;
  age_ms?: number;
  bots: number;
  running?: number;
  rss_bytes?: number;
  loop_lag_us?: number;
  load?: number;
  clock_offset_ms?: number;
  /** Of its stream, not yet in the books. */
  records_behind: number;
}

/** req/health result */
export interface HealthResult {
  /** The controller in figures. */
  controller: HealthController;
  /** A node in figures. */
  nodes: HealthNode[];
  /** Bots by phase. */
  phases: Record<string, unknown>;
  /** Messages and requests refused, by kind. */
  refused: Record<string, unknown>;
}

/** req/instrument-ls args */
export interface InstrumentLsArgs {
  /** A name chosen by people. */
  venue: string;
  /** Part of the name. */
  text?: string;
  /** Items at most. */
  limit?: number;
  /** `next` of the page before. */
  after?: string;
}

/** types/instrument: An instrument's rules. */
export interface Instrument {
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  name: string;
  venue_symbol: string;
  kind: InstrumentKindWord;
  status: InstrumentStatusWord;
  /** An asset: BTC, USDT. */
  base: string;
  /** An asset: BTC, USDT. */
  quote: string;
  /** An exact decimal (price, quantity, rate) as text. */
  tick: string;
  /** An exact decimal (price, quantity, rate) as text. */
  lot: string;
  /** An exact decimal (price, quantity, rate) as text. */
  qty_min?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  qty_max?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  price_min?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  price_max?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  notional_min?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  contract_size?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  fee_maker?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  fee_taker?: string;
}

/** req/instrument-ls result */
export interface InstrumentLsResult {
  /** An instrument's rules. */
  items: Instrument[];
  next?: string;
}

/** req/log-ls args */
export interface LogLsArgs {
  /** Its own log; absent and no bot: the controller's. */
  node?: string;
  /** A name chosen by people. */
  bot?: string;
  /** At least this one; default debug. */
  level?: LogLevelWord;
  /** Only lines with this in event or text. */
  text?: string;
  limit?: number;
}

/** types/log_line: One line of a log, and whose. */
export interface LogLine {
  /** UTC Unix milliseconds. */
  ts_ms: number;
  /** node/node-1 or controller. */
  source: string;
  /** A name chosen by people. */
  bot?: string;
  /** Level of a log line. */
  level: LogLevelWord;
  event: string;
  text: string;
}

/** req/log-ls result */
export interface LogLsResult {
  /** One line of a log, and whose. */
  items: LogLine[];
}

/** req/login-add args */
export interface LoginAddArgs {
  /** A name chosen by people. */
  name: string;
  kind: LoginAddArgsKindWord;
  /** Of a bridge: the nodes behind it; it may speak for these alone. */
  nodes?: string[];
}

/** req/login-add result */
export interface LoginAddResult {
  /** A name chosen by people. */
  name: string;
  kind: LoginAddResultKindWord;
  /** Shown once. */
  password: string;
}

/** req/login-rm args */
export interface LoginRmArgs {
  /** A name chosen by people. */
  name: string;
  kind: LoginRmArgsKindWord;
}

/** req/login-rm result */
export interface LoginRmResult {
  /** A name chosen by people. */
  name: string;
}

/** req/market-ls args */
export interface MarketLsArgs {
  /** A name chosen by people. */
  venue?: string;
}

/** types/market_row: An instrument that bots trade, as their nodes see it. */
export interface MarketRow {
  /** A name chosen by people. */
  venue: string;
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  /** An exact decimal (price, quantity, rate) as text. */
  bid?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  ask?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  last?: string;
  /** (ask - bid) / mid, in 1/100 %. */
  spread_bps?: number;
  /** Since the newest of these numbers reached its node. */
  age_ms?: number;
  /** Whose numbers these are. */
  node?: string;
  /** Bots that trade it. */
  bots: number;
  /** A name chosen by people. */
  names?: string[];
  status?: MarketRowStatusWord;
  /** An exact decimal (price, quantity, rate) as text. */
  tick?: string;
}

/** req/market-ls result */
export interface MarketLsResult {
  /** An instrument that bots trade, as their nodes see it. */
  items: MarketRow[];
}

/** req/node-drain args */
export interface NodeDrainArgs {
  /** A name chosen by people. */
  node: string;
  /** Bots may go there again; those that left stay where they are. */
  undo?: boolean;
}

/** req/node-drain result */
export interface NodeDrainResult {
  /** A name chosen by people. */
  node: string;
  draining: boolean;
  /** That are to leave. */
  bots: number;
}

/** req/node-ls args */
export interface NodeLsArgs {
  /** Items at most. */
  limit?: number;
  /** `next` of the page before. */
  after?: string;
}

/** req/node-ls result */
export interface NodeLsResult {
  /** One node in a list. */
  items: NodeRow[];
  next?: string;
}

/** req/node-rm args */
export interface NodeRmArgs {
  /** A name chosen by people. */
  node: string;
}

/** req/node-rm result */
export interface NodeRmResult {
  /** A name chosen by people. */
  node: string;
  removed: boolean;
}

/** req/node-show args */
export interface NodeShowArgs {
  /** A name chosen by people. */
  node: string;
}

/** req/node-show result */
export interface NodeShowResult {
  /** One node in a list. */
  node: NodeRow;
  /** One bot in a list: what it should be, what it says it is, and how old that is. */
  bots: BotRow[];
}

/** req/notify-add args */
export interface NotifyAddArgs {
  /** A name chosen by people. */
  name: string;
  /** http:// only to this machine, else https://. */
  url: string;
  /** Default warning. */
  severity?: SeverityWord;
}

/** types/notify_row: A place that alerts are posted to. */
export interface NotifyRow {
  /** A name chosen by people. */
  name: string;
  url: string;
  /** At least this one. */
  severity: SeverityWord;
  sent: number;
  /** Given up after all tries. */
  failed: number;
  /** UTC Unix milliseconds. */
  last_ms?: number;
  last_error?: string;
}

/** req/notify-add result */
export interface NotifyAddResult {
  /** A place that alerts are posted to. */
  row: NotifyRow;
}

/** req/notify-ls args */
export type NotifyLsArgs = Record<string, never>;

/** req/notify-ls result */
export interface NotifyLsResult {
  /** A place that alerts are posted to. */
  items: NotifyRow[];
}

/** req/notify-rm args */
export interface NotifyRmArgs {
  /** A name chosen by people. */
  name: string;
}

/** req/notify-rm result */
export interface NotifyRmResult {
  /** A name chosen by people. */
  name: string;
}

/** req/notify-test args */
export interface NotifyTestArgs {
  /** A name chosen by people. */
  name: string;
}

/** req/notify-test result */
export interface NotifyTestResult {
  /** A name chosen by people. */
  name: string;
  /** HTTP status that came back. */
  status: number;
}

/** req/order-ls args */
export interface OrderLsArgs {
  /** A name chosen by people. */
  bot?: string;
  /** A name chosen by people. */
  account?: string;
  /** Default true. Open ones come by bot, up to 50 bots a page, whatever the limit; false: the ended ones. */
  open?: boolean;
  limit?: number;
  /** `next` of the page before. */
  after?: string;
}

/** types/order_row: One order in a list over all bots. */
export interface OrderRow {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node?: string;
  /** A name chosen by people. */
  venue?: string;
  /** A name chosen by people. */
  account?: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode?: ModeWord;
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  client_order_id: string;
  /** The venue's. */
  order_id?: string;
  /** What the strategy calls it: cell 17 buy. */
  label?: string;
  /** Side of an order or fill. */
  side: SideWord;
  /** Type of an order. */
  type?: OrderTypeWord;
  /** Absent for market orders. */
  price?: string;
  /** An exact decimal (price, quantity, rate) as text. */
  qty: string;
  /** An exact decimal (price, quantity, rate) as text. */
  filled_qty: string;
  /** What the venue says an order is. */
  status: OrderStatusWord;
  /** True: the outcome of a request is not known yet; the venue is being asked. */
  unknown?: boolean;
  /** Why it ended. */
  reason?: string;
  /** It rests at the venue as far as its node knows. */
  open: boolean;
  /** Last change. */
  ts_ms: number;
  /** When the node said so; only of open ones. */
  as_of_ms?: number;
}

/** types/silent_row: Who was asked and gave no answer, so that a list is not whole. */
export interface SilentRow {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  node: string;
  message: string;
}

/** req/order-ls result */
export interface OrderLsResult {
  /** One order in a list over all bots. */
  items: OrderRow[];
  /** Who was asked and gave no answer, so that a list is not whole. */
  silent?: SilentRow[];
  next?: string;
}

/** req/pnl args */
export interface PnlArgs {
  /** Default bot. */
  by?: PnlArgsByWord;
}

/** types/pnl_row: Profit and loss of one bot, node or account, per quote asset. */
export interface PnlRow {
  /** Bot, node or account. */
  key: string;
  /** An asset: BTC, USDT. */
  quote: string;
  /** After fees in quote. */
  realised: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  unrealised: string;
  /** Realised + unrealised. */
  net: string;
  /** Fees by asset; those not in quote are no part of `net`. */
  fees?: Record<string, unknown>;
  /** Quote traded. */
  volume: string;
  fills: number;
}

/** req/pnl result */
export interface PnlResult {
  /** Profit and loss of one bot, node or account, per quote asset. */
  items: PnlRow[];
  /** Profit and loss of one bot, node or account, per quote asset. */
  total: PnlRow[];
}

/** req/pnl-days args */
export interface PnlDaysArgs {
  /** A name chosen by people. */
  bot?: string;
  /** A name chosen by people. */
  account?: string;
  /** Default: 30 days ago. */
  from_ms?: number;
  /** Default: now. */
  to_ms?: number;
}

/** types/pnl_day: Profit and loss of one day. */
export interface PnlDay {
  /** 2026-03-01, UTC. */
  day: string;
  /** UTC Unix milliseconds. */
  from_ms: number;
  /** An asset: BTC, USDT. */
  quote: string;
  /** Change of realised + unrealised over the day. */
  net: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  realised: string;
  /** Change of the unrealised part. */
  unrealised: string;
  /** Fees of the day by asset. */
  fees?: Record<string, unknown>;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  volume: string;
  fills: number;
  /** Net since ever at the end of the day. */
  total: string;
}

/** req/pnl-days result */
export interface PnlDaysResult {
  /** Profit and loss of one day. */
  items: PnlDay[];
}

/** req/portfolio args */
export type PortfolioArgs = Record<string, never>;

/** types/portfolio_account: An account in one quote asset. */
export interface PortfolioAccount {
  /** A name chosen by people. */
  account: string;
  /** A name chosen by people. */
  venue: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode: ModeWord;
  /** An asset: BTC, USDT. */
  quote: string;
  /** Realised + unrealised, since ever. */
  net: string;
  /** Sum of |position| at mark, in quote. */
  exposure: string;
  /** Change of net since midnight UTC. */
  today: string;
  /** Change of net over 7 days, today included. */
  d7: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  d30: string;
  bots: number;
  fills: number;
}

/** types/portfolio_row: An asset of an account as the books have it. */
export interface PortfolioRow {
  /** A name chosen by people. */
  account: string;
  /** A name chosen by people. */
  venue: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  mode: ModeWord;
  /** An asset: BTC, USDT. */
  asset: string;
  /** Sum of the sub-ledgers of the account's bots: what they hold, or for the quote what they earned and spent. */
  qty: string;
  /** An asset: BTC, USDT. */
  quote: string;
  /** Mark price; absent: unknown. */
  price?: string;
  /** qty at the mark price, in quote. */
  value?: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  realised: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  unrealised: string;
  /** Bots with a book in it. */
  bots: number;
}

/** req/portfolio result */
export interface PortfolioResult {
  /** An account in one quote asset. */
  accounts: PortfolioAccount[];
  /** An asset of an account as the books have it. */
  items: PortfolioRow[];
  /** An account in one quote asset. */
  total: PortfolioAccount[];
  /** UTC Unix milliseconds. */
  as_of_ms: number;
}

/** req/rebalance args */
export interface RebalanceArgs {
  dry_run?: boolean;
  /** Moves at most; default 100. */
  limit?: number;
}

/** types/move: A bot that goes from one node to another. */
export interface Move {
  /** A name chosen by people. */
  bot: string;
  /** A name chosen by people. */
  from: string;
  /** A name chosen by people. */
  to: string;
}

/** req/rebalance result */
export interface RebalanceResult {
  /** A bot that goes from one node to another. */
  moves: Move[];
  started: boolean;
}

/** req/reconcile args */
export interface ReconcileArgs {
  /** A name chosen by people. */
  bot?: string;
}

/** types/reconcile_row: What the books hold of one account and instrument: to compare with the venue's ledger. */
export interface ReconcileRow {
  /** A name chosen by people. */
  venue: string;
  /** A name chosen by people. */
  account: string;
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  instrument: string;
  fills: number;
  buys: number;
  /** Base bought. */
  bought: string;
  /** Base sold. */
  sold: string;
  /** Quote paid. */
  paid: string;
  /** Quote received. */
  received: string;
  /** Fees by asset, as amounts. */
  fees: Record<string, unknown>;
  /** Bought - sold. */
  position: string;
}

/** req/reconcile result */
export interface ReconcileResult {
  /** What the books hold of one account and instrument: to compare with the venue's ledger. */
  items: ReconcileRow[];
}

/** req/resume args */
export interface ResumeArgs {
  /** What a halt covers. */
  scope: HaltScopeWord;
  /** A name chosen by people. */
  target?: string;
  reason: string;
}

/** req/resume result */
export interface ResumeResult {
  number: number;
  /** One halt in force. */
  halts: Halt[];
}

/** req/status args */
export type StatusArgs = Record<string, never>;

/** ui/alert: Something people must know, until it is cleared. */
export interface UiAlert extends Envelope {
  /** One level of a topic. */
  alert: string;
  /** How bad it is. */
  severity: SeverityWord;
  code: string;
  message: string;
  target?: string;
  /** UTC Unix milliseconds. */
  since_ms: number;
  cleared: boolean;
  /** Its number in alert-ls. */
  number?: number;
  acked_by?: string;
  /** UTC Unix milliseconds. */
  acked_ms?: number;
  note?: string;
}

/** req/status result */
export interface StatusResult {
  /** A name chosen by people. */
  tenant: string;
  /** A ULID. */
  fleet: string;
  version: string;
  term: number;
  uptime_ms: number;
  nodes: number;
  nodes_up: number;
  bots: number;
  running: number;
  fills: number;
  /** One halt in force. */
  halts: Halt[];
  /** Something people must know, until it is cleared. */
  alerts: UiAlert[];
  /** Sums per quote asset. */
  pnl: PnlRow[];
}

/** req/strategy-ls args */
export interface StrategyLsArgs {
  /** Items at most. */
  limit?: number;
  /** `next` of the page before. */
  after?: string;
}

/** types/strategy_row: One strategy in a list. */
export interface StrategyRow {
  strategy: string;
  help: string;
}

/** req/strategy-ls result */
export interface StrategyLsResult {
  /** One strategy in a list. */
  items: StrategyRow[];
  next?: string;
}

/** req/strategy-show args */
export interface StrategyShowArgs {
  strategy: string;
}

/** types/param: One parameter of a strategy: forms, flags, checks and bounds come from it. */
export interface Param {
  name: string;
  type: ParamTypeWord;
  /** Absent: required. */
  default?: string;
  min?: string;
  max?: string;
  step?: string;
  unit?: string;
  help: string;
  choices?: string[];
  /** May change while the bot runs. */
  hot?: boolean;
}

/** req/strategy-show result */
export interface StrategyShowResult {
  strategy: string;
  help: string;
  /** One parameter of a strategy: forms, flags, checks and bounds come from it. */
  params: Param[];
  /** JSON Schema of `params`. */
  schema: Record<string, unknown>;
}

/** req/token-add args */
export interface TokenAddArgs {
  /** Up to 26 characters. */
  name: string;
  /** Default viewer. */
  role?: RoleWord;
  /** Default 30 days. */
  ttl_s?: number;
}

/** types/token_row: A token for programs. */
export interface TokenRow {
  /** A name chosen by people. */
  name: string;
  /** The login it is: token-<name>. */
  user: string;
  /** What a user may do: read, trade, or all. */
  role: RoleWord;
  /** A name chosen by people. */
  made_by: string;
  /** UTC Unix milliseconds. */
  created_ms: number;
  /** UTC Unix milliseconds. */
  expires_ms: number;
  /** Of its last request; absent: never. */
  used_ms?: number;
}

/** req/token-add result */
export interface TokenAddResult {
  /** Authorization: Bearer <token>. Over MQTT: username token-<name>, and the part after the second _ as password. */
  token: string;
  /** A token for programs. */
  row: TokenRow;
}

/** req/token-ls args */
export type TokenLsArgs = Record<string, never>;

/** req/token-ls result */
export interface TokenLsResult {
  /** A token for programs. */
  items: TokenRow[];
}

/** req/token-rm args */
export interface TokenRmArgs {
  /** A name chosen by people. */
  name: string;
}

/** req/token-rm result */
export interface TokenRmResult {
  /** A name chosen by people. */
  name: string;
}

/** req/user-add args */
export interface UserAddArgs {
  /** A name chosen by people. */
  name: string;
  /** What a user may do: read, trade, or all. */
  role: RoleWord;
}

/** req/user-add result */
export interface UserAddResult {
  /** A name chosen by people. */
  name: string;
  /** What a user may do: read, trade, or all. */
  role: RoleWord;
  password: string;
}

/** req/user-ls args */
export interface UserLsArgs {
  /** Items at most. */
  limit?: number;
  /** `next` of the page before. */
  after?: string;
}

/** types/user_row: One user. */
export interface UserRow {
  /** A name chosen by people. */
  name: string;
  /** What a user may do: read, trade, or all. */
  role: RoleWord;
  /** UTC Unix milliseconds. */
  created_ms: number;
}

/** req/user-ls result */
export interface UserLsResult {
  /** One user. */
  items: UserRow[];
  next?: string;
}

/** req/user-passwd args */
export interface UserPasswdArgs {
  /** A name chosen by people. */
  name: string;
}

/** req/user-passwd result */
export interface UserPasswdResult {
  /** A name chosen by people. */
  name: string;
  password: string;
}

/** req/user-rm args */
export interface UserRmArgs {
  /** A name chosen by people. */
  name: string;
}

/** req/user-rm result */
export interface UserRmResult {
  /** A name chosen by people. */
  name: string;
}

/** req/user-role args */
export interface UserRoleArgs {
  /** A name chosen by people. */
  name: string;
  /** What a user may do: read, trade, or all. */
  role: RoleWord;
}

/** req/user-role result */
export interface UserRoleResult {
  /** A name chosen by people. */
  name: string;
  /** What a user may do: read, trade, or all. */
  role: RoleWord;
}

/** req/whoami args */
export type WhoamiArgs = Record<string, never>;

/** req/whoami result */
export interface WhoamiResult {
  /** A name chosen by people. */
  user: string;
  /** What a user may do: read, trade, or all. */
  role: RoleWord;
  /** A name chosen by people. */
  tenant: string;
  verbs: string[];
}

/** types/balance: One asset of an account at its venue. */
export interface Balance {
  /** An asset: BTC, USDT. */
  asset: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  free: string;
  /** An exact amount (money, position, sum) as text, to 18 decimals. */
  locked: string;
}

/** types/digest_bot: One bot of a digest page, in short names. */
export interface DigestBot {
  /** Bot. */
  n: string;
  /** Strategy. */
  s: string;
  /** Our name of an instrument: BTC-USDT, BTC-USDT-PERP. */
  i?: string;
  /** Node. */
  nd: string;
  /** How a bot trades: live orders, our own matching on live data (paper), only decisions (shadow), or recorded data (backtest). */
  m?: ModeWord;
  /** What a bot should be. */
  run: RunWord;
  /** What a bot is. */
  ph?: PhaseWord;
  /** Reason code. */
  rc?: string;
  /** Position. */
  pos?: string;
  /** Realised, after fees in quote. */
  pnl?: string;
  /** Realised + unrealised. */
  eq?: string;
  /** Mark price. */
  px?: string;
  fills: number;
  /** Open orders. */
  oo?: number;
  /** Of the bot's last word when the page was made. */
  age_ms?: number;
  /** Its node is not heard: the numbers are its last words. */
  lost?: boolean;
}

/** types/digest_fleet: The fleet in one line. */
export interface DigestFleet {
  nodes: number;
  nodes_up: number;
  bots: number;
  running: number;
  fills: number;
  /** Number of halts in force. */
  halt: number;
  alerts: number;
}

/** u/request: A request of a user; the verb is the last level of its topic. Only `id` and what the verb needs must be there, so that a person can write one by hand. */
export interface URequest {
  v?: number;
  /** Chosen by the sender; names the topic of the answer. With 20 characters or more it is unique: a repeat within 24 h is answered as the first, and not carried out again. */
  id: string;
  /** UTC Unix milliseconds. */
  ts_ms?: number;
  src?: string;
  seq?: number;
  /** Refused when it arrives later. */
  expires_ms?: number;
  /** As req/<verb> says. */
  args?: Record<string, unknown>;
  /** Where it comes from, in the sender's words: for the audit. */
  client?: string;
}

/** u/response: The answer to a request. */
export interface UResponse extends Envelope {
  /** Id of the request; "" when it had none. */
  re: string;
  verb: string;
  ok: boolean;
  result?: Record<string, unknown>;
  /** Why something was refused or failed. */
  error?: Error;
}

/** u/signal: A signal from outside (a webhook, a person, a model). */
export interface USignal {
  v?: number;
  /** One level of a topic. */
  id: string;
  /** UTC Unix milliseconds. */
  ts_ms?: number;
  /** A name chosen by people. */
  bot?: string;
  /** UTC Unix milliseconds. */
  expires_ms?: number;
  signal: Record<string, unknown>;
}

/** ui/account: Balances of an account as its node last saw them; never a secret. */
export interface UiAccount extends Envelope {
  /** A name chosen by people. */
  account: string;
  /** A name chosen by people. */
  venue: string;
  /** One asset of an account at its venue. */
  balances: Balance[];
  /** UTC Unix milliseconds. */
  as_of_ms: number;
}

/** ui/digest: The fleet in pages, sorted by name, each under 4,000 bytes; only what changed is sent again. */
export interface UiDigest extends Envelope {
  page: number;
  pages: number;
  /** The fleet in one line. */
  fleet?: DigestFleet;
  /** One bot of a digest page, in short names. */
  bots: DigestBot[];
}

/** ui/job: Progress and result of a job. */
export interface UiJob extends Envelope {
  /** A ULID. */
  job: string;
  kind: string;
  state: UiJobStateWord;
  progress_pct?: number;
  result?: Record<string, unknown>;
  /** Why something was refused or failed. */
  error?: Error;
}

/** Arguments and result of each verb of u/<user>/req/<verb>. */
export interface Verbs {
  /** add an account, or a new key for it */
  "account-add": { args: AccountAddArgs; result: AccountAddResult };
  /** accounts beside their venues: missing and foreign balances, foreign orders */
  "account-check": { args: AccountCheckArgs; result: AccountCheckResult };
  /** the public key that account credentials are sealed to */
  "account-key": { args: AccountKeyArgs; result: AccountKeyResult };
  /** list accounts */
  "account-ls": { args: AccountLsArgs; result: AccountLsResult };
  /** remove an account that no bot uses; its keys are wiped everywhere */
  "account-rm": { args: AccountRmArgs; result: AccountRmResult };
  /** try an account's keys at its venue, from a node; new ones before they are kept */
  "account-test": { args: AccountTestArgs; result: AccountTestResult };
  /** say that an alert in force was seen; it stays until its cause is gone, or goes now when it has none that can end */
  "alert-ack": { args: AlertAckArgs; result: AlertAckResult };
  /** alerts, newest first */
  "alert-ls": { args: AlertLsArgs; result: AlertLsResult };
  /** create or change the bots of a manifest, all or none */
  "apply": { args: ApplyArgs; result: ApplyResult };
  /** commands as they were asked and answered, newest first */
  "audit-ls": { args: AuditLsArgs; result: AuditLsResult };
  /** write a sealed backup now; the answer comes when it is on disk and checked */
  "backup-create": { args: BackupCreateArgs; result: BackupCreateResult };
  /** backups, newest first, and when the next one is due */
  "backup-ls": { args: BackupLsArgs; result: BackupLsResult };
  /** take a bot that a node holds unclaimed into the list, or have it released */
  "bot-adopt": { args: BotAdoptArgs; result: BotAdoptResult };
  /** create or change a bot */
  "bot-deploy": { args: BotDeployArgs; result: BotDeployResult };
  /** equity of a bot over time, oldest first */
  "bot-equity": { args: BotEquityArgs; result: BotEquityResult };
  /** fills in the books, newest first */
  "bot-fills": { args: BotFillsArgs; result: BotFillsResult };
  /** generations of a bot, newest first: who, from where, and what changed */
  "bot-history": { args: BotHistoryArgs; result: BotHistoryResult };
  /** the last lines of a bot's log */
  "bot-logs": { args: BotLogsArgs; result: BotLogsResult };
  /** list bots */
  "bot-ls": { args: BotLsArgs; result: BotLsResult };
  /** give a bot to another node: released by the old one, then taken over */
  "bot-move": { args: BotMoveArgs; result: BotMoveResult };
  /** orders of a bot that rest now */
  "bot-orders": { args: BotOrdersArgs; result: BotOrdersResult };
  /** keep the position, cancel the orders, wait */
  "bot-pause": { args: BotPauseArgs; result: BotPauseResult };
  /** a bot's books beside the venue; accept_venue books the difference */
  "bot-reconcile": { args: BotReconcileArgs; result: BotReconcileResult };
  /** record all that goes into the bot's engine and comes out of it, in a file of its node; to begin, the bot is made anew from its journal; again, it tells how far it is */
  "bot-record": { args: BotRecordArgs; result: BotRecordResult };
  /** let a paused bot run again */
  "bot-resume": { args: BotResumeArgs; result: BotResumeResult };
  /** remove a stopped bot; its fills stay in the books */
  "bot-rm": { args: BotRmArgs; result: BotRmResult };
  /** one bot: what it should be, what it is, its manifest and history */
  "bot-show": { args: BotShowArgs; result: BotShowResult };
  /** let a stopped, paused or flat bot run */
  "bot-start": { args: BotStartArgs; result: BotStartResult };
  /** stop a bot */
  "bot-stop": { args: BotStopArgs; result: BotStopResult };
  /** have the node send the bot's live, order, fill and log topics for a while */
  "bot-watch": { args: BotWatchArgs; result: BotWatchResult };
  /** candles of an instrument from its venue, oldest first */
  "candles": { args: CandlesArgs; result: CandlesResult };
  /** what became of a request, or of a command to a node */
  "command-show": { args: CommandShowArgs; result: CommandShowResult };
  /** halt the fleet, a node, an account or a bot */
  "halt": { args: HaltArgs; result: HaltResult };
  /** halts in force */
  "halt-ls": { args: HaltLsArgs; result: HaltLsResult };
  /** a halt's progress, bot by bot */
  "halt-show": { args: HaltShowArgs; result: HaltShowResult };
  /** the controller and its nodes in figures; what was refused or malformed, by kind */
  "health": { args: HealthArgs; result: HealthResult };
  /** instruments of a venue */
  "instrument-ls": { args: InstrumentLsArgs; result: InstrumentLsResult };
  /** the last lines of a bot, of a node, or of the controller, oldest first */
  "log-ls": { args: LogLsArgs; result: LogLsResult };
  /** a login of the broker for a node on another machine, or for a bridge that carries some nodes */
  "login-add": { args: LoginAddArgs; result: LoginAddResult };
  /** remove a node's or bridge's login; its connection ends */
  "login-rm": { args: LoginRmArgs; result: LoginRmResult };
  /** instruments that bots trade: bid, ask, last, spread, age of the feed, and which bots */
  "market-ls": { args: MarketLsArgs; result: MarketLsResult };
  /** move all bots off a node, and place none there, until it is undone */
  "node-drain": { args: NodeDrainArgs; result: NodeDrainResult };
  /** list nodes */
  "node-ls": { args: NodeLsArgs; result: NodeLsResult };
  /** forget a node that is gone and has no bots */
  "node-rm": { args: NodeRmArgs; result: NodeRmResult };
  /** one node with its bots */
  "node-show": { args: NodeShowArgs; result: NodeShowResult };
  /** post alerts as JSON to a URL when they begin and end */
  "notify-add": { args: NotifyAddArgs; result: NotifyAddResult };
  /** where alerts are posted to, and whether that worked */
  "notify-ls": { args: NotifyLsArgs; result: NotifyLsResult };
  /** no longer post alerts there */
  "notify-rm": { args: NotifyRmArgs; result: NotifyRmResult };
  /** post a test alert there now */
  "notify-test": { args: NotifyTestArgs; result: NotifyTestResult };
  /** orders of all bots: the open ones as their nodes say now, or the ended ones from the books, newest first */
  "order-ls": { args: OrderLsArgs; result: OrderLsResult };
  /** profit and loss by bot, node or account */
  "pnl": { args: PnlArgs; result: PnlResult };
  /** profit and loss by day (UTC) of a bot, an account or the fleet, oldest first */
  "pnl-days": { args: PnlDaysArgs; result: PnlDaysResult };
  /** what all accounts hold and earned, as the books have it */
  "portfolio": { args: PortfolioArgs; result: PortfolioResult };
  /** spread bots evenly over the nodes that are up */
  "rebalance": { args: RebalanceArgs; result: RebalanceResult };
  /** sums of the books per account and instrument, to compare with the venue */
  "reconcile": { args: ReconcileArgs; result: ReconcileResult };
  /** lift a halt */
  "resume": { args: ResumeArgs; result: ResumeResult };
  /** the fleet in one answer */
  "status": { args: StatusArgs; result: StatusResult };
  /** list strategies */
  "strategy-ls": { args: StrategyLsArgs; result: StrategyLsResult };
  /** a strategy and its parameters */
  "strategy-show": { args: StrategyShowArgs; result: StrategyShowResult };
  /** make a token for a program; it is shown once, expires, and may do no more than who made it */
  "token-add": { args: TokenAddArgs; result: TokenAddResult };
  /** tokens: the own ones; an admin sees all */
  "token-ls": { args: TokenLsArgs; result: TokenLsResult };
  /** end a token at once; an admin may end any */
  "token-rm": { args: TokenRmArgs; result: TokenRmResult };
  /** add a user; the password is shown once */
  "user-add": { args: UserAddArgs; result: UserAddResult };
  /** list users */
  "user-ls": { args: UserLsArgs; result: UserLsResult };
  /** give a user a new password, shown once */
  "user-passwd": { args: UserPasswdArgs; result: UserPasswdResult };
  /** remove a user */
  "user-rm": { args: UserRmArgs; result: UserRmResult };
  /** give a user another role; the user signs in again */
  "user-role": { args: UserRoleArgs; result: UserRoleResult };
  /** who you are to the controller and what you may do */
  "whoami": { args: WhoamiArgs; result: WhoamiResult };
}
export type Verb = keyof Verbs;

/** Which role a verb needs at least, and whether it changes anything. */
export const verbs: Record<Verb, { role: RoleWord; mutates: boolean; help: string }> = {
  "account-add": { role: "admin", mutates: true, help: "add an account, or a new key for it" },
  "account-check": { role: "viewer", mutates: false, help: "accounts beside their venues: missing and foreign balances, foreign orders" },
  "account-key": { role: "viewer", mutates: false, help: "the public key that account credentials are sealed to" },
  "account-ls": { role: "viewer", mutates: false, help: "list accounts" },
  "account-rm": { role: "admin", mutates: true, help: "remove an account that no bot uses; its keys are wiped everywhere" },
  "account-test": { role: "admin", mutates: false, help: "try an account's keys at its venue, from a node; new ones before they are kept" },
  "alert-ack": { role: "trader", mutates: true, help: "say that an alert in force was seen; it stays until its cause is gone, or goes now when it has none that can end" },
  "alert-ls": { role: "viewer", mutates: false, help: "alerts, newest first" },
  "apply": { role: "trader", mutates: true, help: "create or change the bots of a manifest, all or none" },
  "audit-ls": { role: "viewer", mutates: false, help: "commands as they were asked and answered, newest first" },
  "backup-create": { role: "admin", mutates: true, help: "write a sealed backup now; the answer comes when it is on disk and checked" },
  "backup-ls": { role: "viewer", mutates: false, help: "backups, newest first, and when the next one is due" },
  "bot-adopt": { role: "admin", mutates: true, help: "take a bot that a node holds unclaimed into the list, or have it released" },
  "bot-deploy": { role: "trader", mutates: true, help: "create or change a bot" },
  "bot-equity": { role: "viewer", mutates: false, help: "equity of a bot over time, oldest first" },
  "bot-fills": { role: "viewer", mutates: false, help: "fills in the books, newest first" },
  "bot-history": { role: "viewer", mutates: false, help: "generations of a bot, newest first: who, from where, and what changed" },
  "bot-logs": { role: "viewer", mutates: false, help: "the last lines of a bot's log" },
  "bot-ls": { role: "viewer", mutates: false, help: "list bots" },
  "bot-move": { role: "trader", mutates: true, help: "give a bot to another node: released by the old one, then taken over" },
  "bot-orders": { role: "viewer", mutates: false, help: "orders of a bot that rest now" },
  "bot-pause": { role: "trader", mutates: true, help: "keep the position, cancel the orders, wait" },
  "bot-reconcile": { role: "trader", mutates: true, help: "a bot's books beside the venue; accept_venue books the difference" },
  "bot-record": { role: "trader", mutates: true, help: "record all that goes into the bot's engine and comes out of it, in a file of its node; to begin, the bot is made anew from its journal; again, it tells how far it is" },
  "bot-resume": { role: "trader", mutates: true, help: "let a paused bot run again" },
  "bot-rm": { role: "trader", mutates: true, help: "remove a stopped bot; its fills stay in the books" },
  "bot-show": { role: "viewer", mutates: false, help: "one bot: what it should be, what it is, its manifest and history" },
  "bot-start": { role: "trader", mutates: true, help: "let a stopped, paused or flat bot run" },
  "bot-stop": { role: "trader", mutates: true, help: "stop a bot" },
  "bot-watch": { role: "viewer", mutates: false, help: "have the node send the bot's live, order, fill and log topics for a while" },
  "candles": { role: "viewer", mutates: false, help: "candles of an instrument from its venue, oldest first" },
  "command-show": { role: "viewer", mutates: false, help: "what became of a request, or of a command to a node" },
  "halt": { role: "trader", mutates: true, help: "halt the fleet, a node, an account or a bot" },
  "halt-ls": { role: "viewer", mutates: false, help: "halts in force" },
  "halt-show": { role: "viewer", mutates: false, help: "a halt's progress, bot by bot" },
  "health": { role: "viewer", mutates: false, help: "the controller and its nodes in figures; what was refused or malformed, by kind" },
  "instrument-ls": { role: "viewer", mutates: false, help: "instruments of a venue" },
  "log-ls": { role: "viewer", mutates: false, help: "the last lines of a bot, of a node, or of the controller, oldest first" },
  "login-add": { role: "admin", mutates: true, help: "a login of the broker for a node on another machine, or for a bridge that carries some nodes" },
  "login-rm": { role: "admin", mutates: true, help: "remove a node's or bridge's login; its connection ends" },
  "market-ls": { role: "viewer", mutates: false, help: "instruments that bots trade: bid, ask, last, spread, age of the feed, and which bots" },
  "node-drain": { role: "admin", mutates: true, help: "move all bots off a node, and place none there, until it is undone" },
  "node-ls": { role: "viewer", mutates: false, help: "list nodes" },
  "node-rm": { role: "admin", mutates: true, help: "forget a node that is gone and has no bots" },
  "node-show": { role: "viewer", mutates: false, help: "one node with its bots" },
  "notify-add": { role: "admin", mutates: true, help: "post alerts as JSON to a URL when they begin and end" },
  "notify-ls": { role: "admin", mutates: false, help: "where alerts are posted to, and whether that worked" },
  "notify-rm": { role: "admin", mutates: true, help: "no longer post alerts there" },
  "notify-test": { role: "admin", mutates: true, help: "post a test alert there now" },
  "order-ls": { role: "viewer", mutates: false, help: "orders of all bots: the open ones as their nodes say now, or the ended ones from the books, newest first" },
  "pnl": { role: "viewer", mutates: false, help: "profit and loss by bot, node or account" },
  "pnl-days": { role: "viewer", mutates: false, help: "profit and loss by day (UTC) of a bot, an account or the fleet, oldest first" },
  "portfolio": { role: "viewer", mutates: false, help: "what all accounts hold and earned, as the books have it" },
  "rebalance": { role: "admin", mutates: true, help: "spread bots evenly over the nodes that are up" },
  "reconcile": { role: "viewer", mutates: false, help: "sums of the books per account and instrument, to compare with the venue" },
  "resume": { role: "trader", mutates: true, help: "lift a halt" },
  "status": { role: "viewer", mutates: false, help: "the fleet in one answer" },
  "strategy-ls": { role: "viewer", mutates: false, help: "list strategies" },
  "strategy-show": { role: "viewer", mutates: false, help: "a strategy and its parameters" },
  "token-add": { role: "viewer", mutates: true, help: "make a token for a program; it is shown once, expires, and may do no more than who made it" },
  "token-ls": { role: "viewer", mutates: false, help: "tokens: the own ones; an admin sees all" },
  "token-rm": { role: "viewer", mutates: true, help: "end a token at once; an admin may end any" },
  "user-add": { role: "admin", mutates: true, help: "add a user; the password is shown once" },
  "user-ls": { role: "admin", mutates: false, help: "list users" },
  "user-passwd": { role: "admin", mutates: true, help: "give a user a new password, shown once" },
  "user-rm": { role: "admin", mutates: true, help: "remove a user" },
  "user-role": { role: "admin", mutates: true, help: "give a user another role; the user signs in again" },
  "whoami": { role: "viewer", mutates: false, help: "who you are to the controller and what you may do" },
};

/** Topics by name; any level may be "+" or "#" to make a filter. */
export const topics = {
  /** n/presence */
  node_presence: (tenant: string, node: string) => `flt/v1/${tenant}/n/${node}/presence`,
  /** n/hb */
  node_hb: (tenant: string, node: string) => `flt/v1/${tenant}/n/${node}/hb`,
  /** n/state */
  node_state: (tenant: string, node: string, bot: string) => `flt/v1/${tenant}/n/${node}/b/${bot}/state`,
  /** n/live */
  node_live: (tenant: string, node: string, bot: string) => `flt/v1/${tenant}/n/${node}/b/${bot}/live`,
  /** n/order */
  node_order: (tenant: string, node: string, bot: string) => `flt/v1/${tenant}/n/${node}/b/${bot}/order`,
  /** n/fill */
  node_fill: (tenant: string, node: string, bot: string) => `flt/v1/${tenant}/n/${node}/b/${bot}/fill`,
  /** n/log */
  node_log: (tenant: string, node: string, bot: string) => `flt/v1/${tenant}/n/${node}/b/${bot}/log`,
  /** n/snap */
  node_snap: (tenant: string, node: string, bot: string) => `flt/v1/${tenant}/n/${node}/b/${bot}/snap`,
  /** n/ev */
  node_ev: (tenant: string, node: string) => `flt/v1/${tenant}/n/${node}/ev`,
  /** n/rp */
  node_rp: (tenant: string, node: string, req: string) => `flt/v1/${tenant}/n/${node}/rp/${req}`,
  /** n/res */
  node_res: (tenant: string, node: string) => `flt/v1/${tenant}/n/${node}/res`,
  /** n/sig */
  node_sig: (tenant: string, node: string, bot: string) => `flt/v1/${tenant}/n/${node}/sig/${bot}`,
  /** n/md */
  node_md: (tenant: string, node: string, venue: string, instrument: string, kind: string) => `flt/v1/${tenant}/n/${node}/md/${venue}/${instrument}/${kind}`,
  /** c/desired */
  desired: (tenant: string, node: string, bot: string) => `flt/v1/${tenant}/c/${node}/b/${bot}/desired`,
  /** c/cmd */
  cmd: (tenant: string, node: string) => `flt/v1/${tenant}/c/${node}/cmd`,
  /** c/lease */
  lease: (tenant: string, node: string) => `flt/v1/${tenant}/c/${node}/lease`,
  /** c/sack */
  sack: (tenant: string, node: string) => `flt/v1/${tenant}/c/${node}/sack`,
  /** ctl/state */
  ctl_state: (tenant: string) => `flt/v1/${tenant}/ctl/state`,
  /** ctl/halt */
  ctl_halt: (tenant: string) => `flt/v1/${tenant}/ctl/halt`,
  /** ui/digest */
  ui_digest: (tenant: string, page: string) => `flt/v1/${tenant}/ui/digest/${page}`,
  /** ui/alert */
  ui_alert: (tenant: string, alert: string) => `flt/v1/${tenant}/ui/alert/${alert}`,
  /** ui/job */
  ui_job: (tenant: string, job: string) => `flt/v1/${tenant}/ui/job/${job}`,
  /** ui/account */
  ui_account: (tenant: string, account: string) => `flt/v1/${tenant}/ui/account/${account}`,
  /** u/request */
  user_req: (tenant: string, user: string, verb: string) => `flt/v1/${tenant}/u/${user}/req/${verb}`,
  /** u/response */
  user_res: (tenant: string, user: string, req: string) => `flt/v1/${tenant}/u/${user}/res/${req}`,
  /** u/signal */
  user_sig: (tenant: string, user: string, source: string) => `flt/v1/${tenant}/u/${user}/sig/${source}`,
};
