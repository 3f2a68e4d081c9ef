/** Facts in a person's words: durations, bytes, what a signal means. English, and the same on the page, in `why` and in verdicts. */

/** "840 ms", "12.4 s", "3 min 5 s", "2 h 10 min", "3 d 4 h". */
export function duration(ms: number): string {
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1_000).toFixed(1))} s`; // what would not round to 60
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return join(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return join(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.floor(minutes / 60);
  return join(Math.floor(hours / 24), "d", hours % 24, "h");
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** "512 B", "1.5 KB", "64 MB": powers of 1,024, as task managers show them. */
export function bytes(size: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = size;
  let unit = 0;
  while (value >= 1_023.5 && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  const digits = value < 1_000 ? Number(value.toPrecision(3)) : Math.round(value);
  return `${unit === 0 ? value : digits} ${units[unit]}`;
}

const SIGNALS: { [signal: string]: string } = {
  SIGKILL: "killed at once; by a person, the system, or for want of memory",
  SIGSEGV: "it touched memory that is not its own",
  SIGABRT: "it aborted itself, usually after a failed assertion",
  SIGBUS: "it touched memory that does not exist",
  SIGFPE: "it made an arithmetic error",
  SIGILL: "it ran an instruction that the processor does not know",
  SIGTRAP: "it ran into a breakpoint",
  SIGSYS: "it made a system call that is forbidden to it",
  SIGPIPE: "it wrote to a pipe that nobody reads",
  SIGXCPU: "it used up the processor time it was allowed",
  SIGXFSZ: "it wrote a file larger than allowed",
  SIGTERM: "it was asked to stop",
  SIGINT: "it was interrupted from the keyboard",
  SIGHUP: "its terminal was closed",
  SIGQUIT: "it was asked to quit with a core dump",
};

export function signalMeaning(signal: string): string {
  const meaning = Object.hasOwn(SIGNALS, signal) ? SIGNALS[signal] : undefined;
  return meaning ? `Signal ${signal}: ${meaning}` : `Signal ${signal}`;
}
