/** When a cron trigger is due. Cloudflare fires them by itself, Miniflare does not. */

/** The minute of the hour of an hourly trigger ("17 * * * *"), the only kind that Datacat has. */
export function minuteOf(cron: string): number {
  const minute = /^(\d{1,2}) \* \* \* \*$/.exec(cron)?.[1];
  if (minute === undefined || Number(minute) > 59) {
    throw new Error(
      `npm start can only fire hourly triggers ("17 * * * *"); wrangler.toml has "${cron}".`,
    );
  }
  return Number(minute);
}

/** How long from `now` until the next time that the clock shows `minute`; always more than 0. */
export function untilMinute(minute: number, now: number): number {
  const hour = 60 * 60_000;
  return hour - ((((now - minute * 60_000) % hour) + hour) % hour);
}
