import { printable } from './printable.js';

/** From the gravest; each includes those before it. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** For people, or for programs. */
export const LOG_FORMATS = ['text', 'json'] as const;
/** One of {@link LOG_FORMATS}. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** What a line says to programs beside its message. Values of rows are hidden in it like everywhere. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What a log writes, how, and where to. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Writes a line, which has no end of line yet. */
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

/** Tells how a run goes, on standard error: one line a message, for people or as a JSON document each. */
export class Log {
  constructor(private readonly options: LogOptions) {}

  /** Whether messages of this level are shown: some are dear to make. */
  shows(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(this.options.level);
  }

  /** An answer to what the operator did, a signal say: always shown, and without a label. */
  notice(message: string, fields: LogFields = {}): void {
    this.#write('info', message, fields, printable(message));
  }

  warn(message: string, fields: LogFields = {}): void {
    if (this.shows('warn')) this.#write('warn', message, fields, `Warning: ${printable(message)}`);
  }

  info(message: string, fields: LogFields = {}): void {
    this.at('info', message, fields);
  }

  debug(message: string, fields: LogFields = {}): void {
    this.at('debug', message, fields);
  }

  at(level: 'info' | 'debug', message: string, fields: LogFields = {}): void {
    if (this.shows(level)) this.#write(level, message, fields, `${this.#time()} ${level} ${printable(message)}`);
  }

  #write(level: LogLevel, message: string, fields: LogFields, text: string): void {
    const { format, write } = this.options;
    write(format === 'text' ? text : JSON.stringify({ time: this.#time(), level, message, ...fields }));
  }

  #time(): string {
    return (this.options.now?.() ?? new Date()).toISOString();
  }
}
