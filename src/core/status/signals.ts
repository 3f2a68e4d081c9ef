/** What each POSIX signal means for the program that receives it (signal(7)). */
const MEANINGS: { [signal: string]: string } = {
  SIGKILL: "killed by a person or the system, or because memory ran out",
  SIGSEGV: "it accessed memory that does not belong to it",
  SIGABRT: "it aborted itself, usually after a failed assertion",
  SIGBUS: "it accessed memory that does not exist",
  SIGFPE: "arithmetic error, such as an integer division by zero",
  SIGILL: "the processor does not support an instruction",
  SIGTRAP: "it reached a breakpoint",
  SIGSYS: "it made a system call that is not allowed",
  SIGPIPE: "it wrote to a pipe that has no reader",
  SIGXCPU: "it exceeded its limit of processor time",
  SIGXFSZ: "it exceeded its limit of file size",
  SIGTERM: "it was asked to stop",
  SIGINT: "it was interrupted from the keyboard",
  SIGHUP: "its terminal was closed",
  SIGQUIT: "it was asked to quit with a core dump",
};

/** Numbers that mean the same signal on Linux, macOS and the BSDs (signal(7), POSIX kill). */
const NUMBERS: { [number: number]: string } = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
  24: "SIGXCPU",
  25: "SIGXFSZ",
};

/** Linux's real-time signals: the C library keeps the two below for itself. */
const REAL_TIME = { first: 34, last: 64 };

/** "SIGKILL", "SIGRTMIN+3"; undefined for a number that has another meaning on another system. */
export function signalName(number: number): string | undefined {
  const { first, last } = REAL_TIME;
  if (number < first || number > last) return NUMBERS[number];
  if (number === first) return "SIGRTMIN";
  if (number === last) return "SIGRTMAX";
  return number - first < last - number
    ? `SIGRTMIN+${number - first}`
    : `SIGRTMAX-${last - number}`;
}

/** The signal that a shell reports as its own exit code, because it ended a child: 128 and the signal's number. */
export function shellSignal(exitCode: number): string | undefined {
  return exitCode > 128 ? signalName(exitCode - 128) : undefined;
}

/** "Exit code 137, failure: a shell reports SIGKILL of a child as this". */
export function exitCodeMeaning(exitCode: number): string {
  const signal = shellSignal(exitCode);
  if (exitCode === 0) return "Exit code 0, success";
  if (signal)
    return `Exit code ${exitCode}, failure: as shells report a child that ${signal} ended`;
  if (exitCode === 126) return "Exit code 126, failure: as shells report a file that cannot be run";
  if (exitCode === 127)
    return "Exit code 127, failure: as shells report a command that is not found";
  return `Exit code ${exitCode}, failure`;
}

/** "Signal SIGTERM: it was asked to stop". A signal without a known meaning is only named. */
export function signalMeaning(signal: string): string {
  if (/^SIGRTM(?:IN|AX)/.test(signal))
    return `Signal ${signal}: a real-time signal, whose meaning programs define`;
  const meaning = Object.hasOwn(MEANINGS, signal) ? MEANINGS[signal] : undefined;
  return meaning ? `Signal ${signal}: ${meaning}` : `Signal ${signal}`;
}

/** Signals that request a stop. Any other one that ends a program is a crash. */
const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"];

export function isStopRequest(signal: string): boolean {
  return STOP_SIGNALS.includes(signal);
}
