// Short names for the generated messages that the page reads.
import type { Bot, Error as WireError, PhaseWord, RunWord } from './gen/messages.ts';

export type {
  AccountCheck, AccountRow, AlertRow, AuditRow, Book, Bot, BotRow, BotShowResult, Candle, CtlHalt, CtlState, Deployed, DigestBot, DigestFleet, EquityPoint,
  Fill, FillRow, GenerationRow, Halt, HaltShowResult, HistoryRow, Instrument, LogLine, LogRow, MarketRow, NFill, NHb, NLive, NLog, NodeRow, NState, Order, OrderRow, Param, PnlDay, PortfolioAccount, PortfolioResult, PortfolioRow, RoleWord, SpecChange, StrategyRow,
  StrategyShowResult, TokenRow, UResponse, UiDigest, UserRow, Verb, Verbs, WhoamiResult,
} from './gen/messages.ts';
export type Phase = PhaseWord;
export type Run = RunWord;
export type FlotillaError = WireError;
export type BotSpec = Bot;
