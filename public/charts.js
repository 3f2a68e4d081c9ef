/** The charts of a session: fetches the series in view over the range of the axis, draws them, and shows their values at the cursor. */
import { formatQuantity, formatTick } from "./format.js";
import { newChart, recolour, setAxis, setReadings } from "./line-chart.js";
import { closest } from "./page.js";
import { ratesOf, readingAt, readingsOf } from "./readings.js";

/**
 * @typedef {import("./readings.js").Reading} Reading
 * @typedef {{ from: number, to: number, readings: Reading[], isExact: boolean, scale?: { top: number, bottom: number }, chart?: any }} Drawn
 */

/** Windows of a counter's rate over the range; none is shorter than a second. */
const RATE_WINDOWS = 120;
/** Charts near the screen are drawn before they are seen. */
const MARGIN = "300px";

export class Charts {
  /** @param {HTMLElement} recorder @param {string} id of the session */
  constructor(recorder, id) {
    this.recorder = recorder;
    this.id = id;
    this.extendMs = Number(recorder.dataset.extendMs);
    this.from = 0;
    this.to = 1;
    this.at = 0;
    this.isLast = false;
    /** Values at a moment outside the range, by series id; undefined before a series began. @type {Map<string, number | undefined>} */
    this.away = new Map();
    this.awayAt = NaN;
    /** Series whose value there has been requested. @type {Set<string>} */
    this.asked = new Set();
    /** @type {Map<string, Drawn>} by series id */
    this.drawn = new Map();
    /** @type {Set<string>} */
    this.visible = new Set();
    /** Counters that are shown per second rather than as their total. @type {Set<string>} */
    this.rates = new Set();
    this.busy = false;
    this.isWaiting = false;
    this.lastExtended = 0;
    this.observer = new IntersectionObserver((entries) => this.#seen(entries), {
      rootMargin: MARGIN,
    });
    recorder.addEventListener("click", (event) => this.#switch(closest(event, "[data-rate]")));
    document.addEventListener("preference", () => this.#recolour());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#recolour());
  }

  /** Draws this range; charts that came with a fragment are found here too. @param {number} from @param {number} to */
  show(from, to) {
    const isMoved = from !== this.from || to < this.to;
    this.from = from;
    this.to = to;
    for (const row of this.#rows()) this.observer.observe(row);
    for (const [id, drawn] of this.drawn) {
      if (isMoved) drawn.from = drawn.to = NaN; // its readings are of another range
      else if (drawn.chart?.canvas.isConnected) this.#setAxis(drawn);
      else this.#draw(id, drawn); // the list was fetched again
      this.#caption(id, drawn);
    }
    void this.#fill();
  }

  /**
   * Shows every chart's value at this moment.
   * @param {number} at @param {boolean} [isLast] it is the session's last moment, whose values the list has
   */
  read(at, isLast = false) {
    this.at = at;
    this.isLast = isLast;
    if (at < this.from || at > this.to) return this.#readAway();
    for (const id of this.visible) {
      const drawn = this.drawn.get(id);
      if (drawn) this.#write(id, readingAt(this.#shown(id, drawn), at)?.value, true);
    }
  }

  /** The readings drawn do not have the value at a moment outside the range. */
  #readAway() {
    for (const id of this.visible) {
      const value = this.isLast ? this.#lastOf(id) : this.away.get(id);
      this.#write(id, value === undefined ? undefined : Number(value), false);
    }
    if (!this.isLast) void this.#fetchAway();
  }

  /** @param {string} id */
  #lastOf(id) {
    return this.#row(id)?.querySelector(".brief")?.getAttribute("data-last") ?? undefined;
  }

  async #fetchAway() {
    const { at } = this;
    if (this.awayAt !== at) this.away.clear();
    this.awayAt = at;
    const ids = [...this.visible].filter((id) => !this.away.has(id) && !this.asked.has(id));
    if (ids.length === 0) return;
    for (const id of ids) this.asked.add(id);
    const query = new URLSearchParams({ ids: ids.join(","), t: String(at) });
    const answer = await fetch(`/sessions/${this.id}/values?${query}`).catch(() => undefined);
    /** @type {Record<string, number> | undefined} */
    const values = answer?.ok ? await answer.json() : undefined;
    for (const id of ids) this.asked.delete(id);
    if (!values || this.awayAt !== at) return; // the next change tries again
    for (const id of ids) this.away.set(id, values[id]);
    this.read(this.at, this.isLast);
  }

  /** @param {string} id @param {number | undefined} value @param {boolean} isDrawn from the readings drawn, which may be rates */
  #write(id, value, isDrawn) {
    const row = this.#row(id);
    if (!row) return;
    const text = value === undefined ? "–" : formatQuantity(value, row.dataset.unit);
    write(row, "[data-reading]", isDrawn && value !== undefined ? this.#withUnit(id, text) : text);
  }

  /** Fetches the readings since the last one, while the page follows the session. */
  async extend() {
    const wait = this.lastExtended + this.extendMs - Date.now();
    if (this.busy || wait > 0) {
      if (!this.isWaiting) {
        this.isWaiting = true;
        setTimeout(
          () => {
            this.isWaiting = false;
            void this.extend();
          },
          Math.max(wait, 100),
        );
      }
      return;
    }
    this.lastExtended = Date.now();
    const ids = [...this.visible].filter((id) => this.drawn.has(id));
    if (ids.length === 0) return;
    const since = Math.min(
      ...ids.map((id) => this.drawn.get(id)?.readings.at(-1)?.at ?? this.from),
    );
    await this.#fetch(ids, since + 1, undefined, (id, readings, isExact) => {
      const drawn = this.drawn.get(id);
      if (!drawn) return;
      const last = drawn.readings.at(-1)?.at ?? 0;
      const fresh = readings.filter(({ at }) => at > last);
      drawn.readings.push(...fresh);
      drawn.to = Math.max(drawn.to, drawn.readings.at(-1)?.at ?? drawn.to);
      if (!isExact) drawn.isExact = false;
      const limit = Number(this.#row(id)?.dataset.points ?? 600) * 2;
      if (drawn.readings.length > limit) drawn.from = NaN; // too many to draw: fetched again, in buckets
      else this.#draw(id, drawn);
    });
    void this.#fill();
    this.read(this.at, this.isLast);
  }

  /** @param {Element | null} button of a counter's row */
  #switch(button) {
    const id = button?.closest(".chart")?.getAttribute("data-series");
    const drawn = this.drawn.get(id ?? "");
    if (!button || !id || !drawn) return;
    if (!this.rates.delete(id)) this.rates.add(id);
    this.#draw(id, drawn);
    this.read(this.at, this.isLast);
  }

  /** @param {string} id @param {Drawn} drawn */
  #shown(id, { readings }) {
    return this.rates.has(id) ? ratesOf(readings, (this.to - this.from) / RATE_WINDOWS) : readings;
  }

  /** @param {string} id @param {string} value */
  #withUnit(id, value) {
    return this.rates.has(id) ? `${value}/s` : value;
  }

  /** @returns {HTMLElement[]} */
  #rows() {
    return [...this.recorder.querySelectorAll(".chart")].filter(
      (each) => each instanceof HTMLElement,
    );
  }

  /** @param {string} id @returns {HTMLElement | null} */
  #row(id) {
    return this.recorder.querySelector(`.chart[data-series="${id}"]`);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const id = target.getAttribute("data-series") ?? "";
      if (isIntersecting) this.visible.add(id);
      else this.visible.delete(id);
    }
    void this.#fill();
  }

  /** Fetches the series that are in view and not drawn yet, in one request. */
  async #fill() {
    if (this.busy) return;
    const ids = [...this.visible].filter((id) => {
      const drawn = this.drawn.get(id);
      return !drawn || Number.isNaN(drawn.from);
    });
    if (ids.length === 0) return;
    const { from, to } = this;
    await this.#fetch(ids, from, to, (id, readings, isExact) => {
      const drawn = this.drawn.get(id) ?? { from, to, readings, isExact };
      Object.assign(drawn, { from, to, readings, isExact });
      this.drawn.set(id, drawn);
      this.#draw(id, drawn);
    });
    for (const id of ids) if (!this.drawn.has(id)) this.visible.delete(id);
    this.read(this.at, this.isLast);
    if (from === this.from && to === this.to) void this.#fill();
    else this.show(this.from, this.to);
  }

  /**
   * @param {string[]} ids @param {number} from @param {number | undefined} to
   * @param {(id: string, readings: Reading[], isExact: boolean) => void} use
   */
  async #fetch(ids, from, to, use) {
    this.busy = true;
    try {
      const query = new URLSearchParams({ ids: ids.join(","), from: String(from) });
      if (to !== undefined) query.set("to", String(to));
      const answer = await fetch(`/sessions/${this.id}/charts?${query}`);
      if (!answer.ok) throw new Error(`charts: ${answer.status}`);
      /** @type {{ id: number, from: number, readings: number[][] }[]} */
      const answered = await answer.json();
      for (const series of answered) {
        use(
          String(series.id),
          readingsOf(series),
          series.readings.every((reading) => reading.length === 2),
        );
        await nextTask(); // between charts, so that the page reacts while many are drawn
      }
      delete this.recorder.dataset.failed;
    } catch {
      this.recorder.dataset.failed = ""; // the stylesheet shows it; the next change tries again
      for (const id of ids) this.visible.delete(id);
    } finally {
      this.busy = false;
    }
  }

  /** @param {string} id @param {Drawn} drawn */
  #draw(id, drawn) {
    const row = this.#row(id);
    const canvas = row?.querySelector("canvas");
    if (!row || !canvas) return;
    if (drawn.chart && drawn.chart.canvas !== canvas) {
      drawn.chart.destroy();
      drawn.chart = undefined;
    }
    drawn.chart ??= newChart(canvas, row);
    const hasBand = !drawn.isExact && !this.rates.has(id);
    drawn.scale = setReadings(drawn.chart, this.#shown(id, drawn), hasBand) ?? drawn.scale;
    this.#caption(id, drawn);
    this.#setAxis(drawn);
  }

  /** Writes the scale beside the line; the server wrote that of the whole session, and of totals. @param {string} id @param {Drawn} drawn */
  #caption(id, { scale }) {
    const row = this.#row(id);
    if (!row) return;
    row.querySelector("[data-rate]")?.setAttribute("aria-pressed", String(this.rates.has(id)));
    if (!scale) return;
    write(row, "[data-most]", this.#withUnit(id, formatTick(scale.top, row.dataset.unit)));
    // The scale of a constant has one end.
    const isFlat = scale.top === scale.bottom;
    const least = isFlat ? "" : this.#withUnit(id, formatTick(scale.bottom, row.dataset.unit));
    write(row, "[data-least]", least);
  }

  /** @param {Drawn} drawn */
  #setAxis({ chart }) {
    if (chart) setAxis(chart, this.from, this.to);
  }

  #recolour() {
    for (const [id, { chart }] of this.drawn) {
      const row = this.#row(id);
      if (!chart || !row) continue;
      recolour(chart, row);
      chart.update();
    }
  }
}

function nextTask() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** @param {Element} row @param {string} selector @param {string} text */
function write(row, selector, text) {
  const element = row.querySelector(selector);
  if (element) element.textContent = text;
}
