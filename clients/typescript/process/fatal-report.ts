/**
 * Node's diagnostic report of a fatal error (V8 runs out of memory), written to a side file of the lane if the program asks for it: Node
 * announces the report with two lines on stderr, and it contains the environment unless Node runs with --report-exclude-env. The daemon reads
 * the stacks alone and empties the file. A process has one such file: that of its first open session.
 */
import { basename, dirname } from "node:path";
import { makeSideFile } from "./stacks.ts";

type Report = Omit<NodeJS.ProcessReport, "writeReport"> & {
  writeReport: (this: Report, ...args: unknown[]) => string;
};

let isUsed = false;

/**
 * Has fatal errors written to `path`, unless the program uses reports itself. process.report.excludeEnv has no effect on that of a
 * fatal error (Node 24); the command's option has.
 * @returns Restores the program's options.
 */
export function reportFatalErrors(path: string): (() => void) | undefined {
  const report = process.report as Report | undefined; // Node 11 and older have none
  if (report === undefined || isUsed || isOwnUse(report) || !makeSideFile(path)) return undefined;
  isUsed = true;
  const [directory, filename] = [dirname(path), basename(path)];
  Object.assign(report, { directory, filename, reportOnFatalError: true });
  /** Options that the program has set meanwhile stay. */
  const clear = () => {
    if (report.filename === filename) report.filename = "";
    if (report.directory === directory) report.directory = "";
  };

  // A report that the program asks for goes where it would go without this client.
  const { writeReport } = report;
  const writeElsewhere: typeof writeReport = function (...args) {
    const options = { directory: report.directory, filename: report.filename };
    clear();
    try {
      return writeReport.apply(this, args);
    } finally {
      Object.assign(report, options);
    }
  };
  report.writeReport = writeElsewhere;

  return () => {
    isUsed = false;
    if (report.writeReport === writeElsewhere) report.writeReport = writeReport;
    if (report.filename === filename) report.reportOnFatalError = false;
    clear();
  };
}

function isOwnUse(report: Report): boolean {
  const { reportOnFatalError, reportOnSignal, reportOnUncaughtException } = report;
  const isOn = reportOnFatalError || reportOnSignal || reportOnUncaughtException;
  return isOn || report.directory !== "" || report.filename !== "";
}
