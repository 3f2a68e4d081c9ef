/** Requests to a server, one after the other: by the clock, and in processor time of workerd. Linux only (/proc). */
import { cpuMs } from "./cpu.ts";

/** Milliseconds of one request. */
export type Measured = { median: number; least: number; cpu: number };

const WARM_UP = 5;

export async function measured(run: () => Promise<unknown>, rounds = 15): Promise<Measured> {
  for (let round = 0; round < Math.min(WARM_UP, rounds); round++) await run();
  const before = cpuMs("workerd");
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await run();
    times.push(performance.now() - begun);
  }
  const cpu = (cpuMs("workerd") - before) / rounds;
  const [least = NaN] = times.sort((a, b) => a - b);
  return { median: times[rounds >> 1] ?? NaN, least, cpu };
}

/** "12.3 ms", and from 100 ms on without decimals. */
export function ms(time: number): string {
  return `${time.toFixed(time < 100 ? 1 : 0)} ms`;
}
