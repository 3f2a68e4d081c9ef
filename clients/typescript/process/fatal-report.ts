/**
 * Node's diagnostic report of a fatal error (V8 runs out of memory), written to a side file of the lane. Node announces the report with two
 * lines on stderr. It contains the environment, so the daemon reads the stacks alone and empties the file. A process has one such file: that of
 * its first open session.
 */
import { basename, dirname } from "node:path";
import { makeSideFile } from "./stacks.ts";

type Report = NodeJS.ProcessReport;
type Options = Pick<Report, (typeof OPTIONS)[number]>;

/** Those that exclude the network and the environment have no effect on the report of a fatal error. */
const OPTIONS = ["reportOnFatalError", "directory", "filename", "compact"] as const;

let isUsed = false;

/**
 * Has fatal errors written to `path`, unless the program uses reports itself.
 * @returns Restores the program's options.
 */
export function reportFatalErrors(path: string): (() => void) | undefined {
  const report = process.report as Report | undefined; // Node 11 and older have none
  if (report === undefined || isUsed || isOwnUse(report) || !makeSideFile(path)) return undefined;
  isUsed = true;
  const ours: Options = {
    reportOnFatalError: true,
    directory: dirname(path),
    filename: basename(path),
    compact: true,
  };
  const { reportOnFatalError, directory, filename, compact } = report;
  const before: Options = { reportOnFatalError, directory, filename, compact };
  const use = (options: Options) => void Object.assign(report, options);
  use(ours);

  // A report that the program asks for goes where it would go without this client.
  const { writeReport } = report;
  const writeElsewhere: typeof writeReport = function (this: Report, ...args: []) {
    use(before);
    try {
      return writeReport.apply(this, args);
    } finally {
      use(ours);
    }
  };
  report.writeReport = writeElsewhere;

  return () => {
    if (report.writeReport === writeElsewhere) report.writeReport = writeReport;
    if (report.filename === ours.filename) use(before);
    isUsed = false;
  };
}

function isOwnUse(report: Report): boolean {
  const { reportOnFatalError, reportOnSignal, reportOnUncaughtException } = report;
  const isOn = reportOnFatalError || reportOnSignal || reportOnUncaughtException;
  return isOn || report.directory !== "" || report.filename !== "";
}
