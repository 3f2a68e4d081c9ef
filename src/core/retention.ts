/** How long sessions are kept. */
import { DAY_MS, DEFAULT_RETENTION_DAYS } from "./limits.ts";

/** Days without activity, by the setting DATACAT_RETENTION_DAYS; 0: for ever. `isValid`: the setting is none or a number of days. */
export function retentionOf(setting: string | undefined): { days: number; isValid: boolean } {
  const days = Number(setting ?? DEFAULT_RETENTION_DAYS);
  const isValid = Number.isFinite(days) && days >= 0;
  return { days: isValid ? days : DEFAULT_RETENTION_DAYS, isValid };
}

/** Until when a session is kept whose last activity was at `at`; null: for ever. */
export function keptUntil(at: number, setting: string | undefined): number | null {
  const { days } = retentionOf(setting);
  return days === 0 ? null : at + days * DAY_MS;
}
