// Short names for the generated messages that the page reads.
import type { Bot, Error as WireError, PhaseWord, RunWord } from './gen/messages.ts';

export type {
  AccountRow, Book, Bot, BotRow, BotShowResult, Candle, CtlHalt, CtlState, Deployed, DigestBot, DigestFleet, EquityPoint,
  Fill, Halt, HistoryRow, Instrument, LogRow, NFill, NHb, NLive, NLog, NodeRow, NState, Order, Param, StrategyRow,
  StrategyShowResult, UResponse, UiDigest, Verb, Verbs, WhoamiResult,
} from './gen/messages.ts';
export type Phase = PhaseWord;
export type Run = RunWord;
export type FlotillaError = WireError;
export type BotSpec = Bot;
