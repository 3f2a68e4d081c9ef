/** The use of NVIDIA's graphics cards while a command runs, if nvidia-smi is installed. It counts all programs of the machine. */
import { execFile } from "node:child_process";
import type { Metric } from "../../../src/core/wire.ts";
import { programPath } from "../../program-path.ts";
import { GPU_SAMPLE_MS, GPU_TIMEOUT_MS, MAX_GPUS } from "../limits.ts";

const QUERY = ["--query-gpu=index,utilization.gpu,memory.used", "--format=csv,noheader,nounits"];

/** Samples until `signal` aborts, or nvidia-smi fails, as it does without a card. */
export function watchGpus(record: (metric: Metric) => void, signal: AbortSignal): void {
  const program = programPath("nvidia-smi");
  if (program === undefined) return;
  const sample = () => {
    const options = { timeout: GPU_TIMEOUT_MS, windowsHide: true, signal };
    execFile(program, QUERY, options, (error, stdout) => {
      if (error || signal.aborted) return;
      for (const metric of parseGpus(stdout, Date.now())) record(metric);
      setTimeout(() => {
        if (!signal.aborted) sample();
      }, GPU_SAMPLE_MS).unref();
    });
  };
  sample();
}

/** "0, 45, 1234": a card a line, its use in percent and its memory in MiB. A value that a card lacks is "[N/A]". */
export function parseGpus(output: string, at: number): Metric[] {
  return output
    .split("\n")
    .slice(0, MAX_GPUS)
    .flatMap((line) => {
      const [index = "", percent = NaN, mebibytes = NaN] = line
        .split(",")
        .map((field) => field.trim());
      if (!/^\d{1,3}$/.test(index)) return [];
      const tags = [`gpu:${index}`, "of:machine"];
      return [
        ...gauge("gpu_percent", Number(percent), "percent"),
        ...gauge("gpu_memory_bytes", Number(mebibytes) * 1024 * 1024, "bytes"),
      ];

      function gauge(name: string, value: number, unit: string): Metric[] {
        if (!Number.isFinite(value)) return [];
        return [{ op: "metric", at, type: "gauge", name, value, unit, tags }];
      }
    });
}
