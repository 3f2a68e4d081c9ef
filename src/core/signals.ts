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

/** "Signal SIGTERM: it was asked to stop". A signal without a known meaning is only named. */
export function signalMeaning(signal: string): string {
  const meaning = Object.hasOwn(MEANINGS, signal) ? MEANINGS[signal] : undefined;
  return meaning ? `Signal ${signal}: ${meaning}` : `Signal ${signal}`;
}

/** Signals that request a stop. Any other one that ends a program is a crash. */
const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"];

export function isStopRequest(signal: string): boolean {
  return STOP_SIGNALS.includes(signal);
}
