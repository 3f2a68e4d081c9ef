/** The charts of a session: fetches the series in view over the range of the axis, draws them, and shows their values at the cursor. */
import { formatCount, formatDuration, formatQuantity, formatTick } from "./format.js";
import { newChart, recolour, setAxis, setReadings } from "./line-chart.js";
import { closest } from "./page.js";
import { isExactAt, quantilesOf, ratesOf, readingAt, readingsOf, stepOf } from "./readings.js";
import { endStep, finerStep, shareOf } from "./scale.js";

/**
 * @typedef {import("./readings.js").Reading} Reading
 * @typedef {{ from: number, to: number, readings: Reading[], rates: Reading[], quantiles: Reading[], hasExactQuantiles: boolean, isExact: boolean, gap: number, refused: number[][], scale?: { top: number, bottom: number }, chart?: any }} Drawn
 * @typedef {{ id: number, from: number, readings: number[][], rates?: number[][], quantiles?: { readings: number[][], exact: boolean }, gap?: number, refused: number[][] }} Answered
 */

/** Buckets of a chart over the range (CHART_POINTS of src/pages/limits.ts); the row has their number. */
const BUCKETS = 600;
/** Times of a chart that have quantiles (src/pages/limits.ts). */
const QUANTILE_BUCKETS = 60;
/** The exact values are requested when the pointer has rested for this time. */
const REST_MS = 120;
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
    /** Values at a moment that the readings drawn do not have, by series id; undefined before a series began. @type {Map<string, number | undefined>} */
    this.fetched = new Map();
    this.fetchedAt = NaN;
    /** Series whose value there has been requested. @type {Set<string>} */
    this.asked = new Set();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
    /** @type {Map<string, Drawn>} by series id */
    this.drawn = new Map();
    /** @type {Set<string>} */
    this.visible = new Set();
    /** Counters that are shown per second rather than as their total. @type {Set<string>} */
    this.rates = new Set();
    /** Series whose quantiles are shown rather than their values. @type {Set<string>} */
    this.quantiles = new Set();
    this.busy = false;
    this.isWaiting = false;
    this.lastExtended = 0;
    this.observer = new IntersectionObserver((entries) => this.#seen(entries), {
      rootMargin: MARGIN,
    });
    recorder.addEventListener("click", (event) => {
      this.#switch(closest(event, "[data-rate]"));
      this.#switchQuantiles(closest(event, "[data-quantiles]"));
    });
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
   * Shows every chart's value at this moment: the last one that was recorded at or before it.
   * @param {number} at @param {boolean} [isLast] it is the session's last moment, whose values the list has
   */
  read(at, isLast = false) {
    this.at = at;
    this.isLast = isLast;
    if (this.fetchedAt !== at) this.fetched.clear();
    this.fetchedAt = at;
    const unknown = [...this.visible].filter((id) => !this.#readOne(id, at));
    clearTimeout(this.resting);
    if (unknown.length > 0)
      this.resting = setTimeout(() => void this.#fetchValues(unknown), REST_MS);
  }

  /** False if the value must be fetched; until then its range is shown. @param {string} id @param {number} at */
  #readOne(id, at) {
    const row = this.#row(id);
    const drawn = this.drawn.get(id);
    if (!row || !drawn) return true;
    if (this.rates.has(id) || this.quantiles.has(id)) {
      this.#write(id, drawn, readingAt(this.#shown(id, drawn), at)?.value);
      return true;
    }
    if (at < Number(row.dataset.firstAt)) {
      this.#write(id, drawn, undefined);
      return true;
    }
    const isInside = at >= this.from && at <= this.to;
    const reading = isInside ? readingAt(drawn.readings, at) : undefined;
    if (reading && isExactAt(reading, at)) this.#write(id, drawn, reading.last);
    else if (this.isLast) this.#write(id, drawn, this.#lastOf(row));
    else if (this.fetched.has(id)) this.#write(id, drawn, this.fetched.get(id));
    else {
      if (reading) this.#writeRange(row, reading);
      return false;
    }
    return true;
  }

  /** @param {HTMLElement} row */
  #lastOf(row) {
    const last = row.querySelector(".brief")?.getAttribute("data-last");
    return last === null || last === undefined ? undefined : Number(last);
  }

  /** @param {string[]} unknown */
  async #fetchValues(unknown) {
    const { at } = this;
    const ids = unknown.filter((id) => !this.fetched.has(id) && !this.asked.has(id));
    if (ids.length === 0) return;
    for (const id of ids) this.asked.add(id);
    const query = new URLSearchParams({ ids: ids.join(","), t: String(at) });
    const answer = await fetch(`/sessions/${this.id}/values?${query}`).catch(() => undefined);
    /** @type {Record<string, number> | undefined} */
    const values = answer?.ok ? await answer.json() : undefined;
    for (const id of ids) this.asked.delete(id);
    if (!values) return; // the next change tries again
    if (this.fetchedAt === at) for (const id of ids) this.fetched.set(id, values[id]);
    this.read(this.at, this.isLast);
  }

  /** @param {string} id @param {Drawn} drawn @param {number | undefined} value */
  #write(id, drawn, value) {
    const row = this.#row(id);
    const element = row?.querySelector("[data-reading]");
    if (!row || !(element instanceof HTMLElement)) return;
    delete element.dataset.range;
    element.title = value === undefined ? "" : String(value);
    const text = value === undefined ? "–" : this.#textOf(id, row.dataset.unit ?? "", drawn, value);
    element.textContent = text;
  }

  /** @param {string} id @param {string} unit @param {Drawn} drawn @param {number} value */
  #textOf(id, unit, { readings, scale, hasExactQuantiles }, value) {
    const end = endStep(scale?.bottom ?? value, scale?.top ?? value, unit);
    if (this.rates.has(id)) return `${formatQuantity(value, unit, end)}/s`;
    if (this.quantiles.has(id))
      return `p95 ${hasExactQuantiles ? "" : "≈ "}${formatQuantity(value, unit, end)}`;
    return formatQuantity(value, unit, finerStep(end, stepOf(readings, value)));
  }

  /** @param {HTMLElement} row @param {Reading} reading */
  #writeRange(row, { min, max }) {
    const element = row.querySelector("[data-reading]");
    if (!(element instanceof HTMLElement)) return;
    const { unit } = row.dataset;
    const step = endStep(min, max, unit ?? "");
    element.dataset.range = "";
    element.title = "";
    element.textContent = `${formatTick(min, unit, step)} to ${formatTick(max, unit, step)}`;
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
      ...ids.map((id) => this.drawn.get(id)?.readings.at(-1)?.until ?? this.from),
    );
    await this.#fetch(ids, since + 1, undefined, (id, fetched) => {
      const drawn = this.drawn.get(id);
      if (!drawn) return;
      const last = drawn.readings.at(-1)?.until ?? 0;
      const fresh = fetched.readings.filter(({ since: first }) => first > last);
      drawn.readings.push(...fresh);
      const lastRate = drawn.rates.at(-1)?.until ?? 0;
      drawn.rates.push(...fetched.rates.filter(({ until }) => until > lastRate));
      drawn.to = Math.max(drawn.to, drawn.readings.at(-1)?.until ?? drawn.to);
      drawn.refused.push(...fetched.refused);
      if (!fetched.isExact) drawn.isExact = false;
      const limit = Number(this.#row(id)?.dataset.points ?? BUCKETS) * 2;
      // Too many to draw: fetched again, in buckets. Quantiles are of buckets, so they are fetched again as well.
      if (drawn.readings.length > limit || this.quantiles.has(id)) drawn.from = NaN;
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

  /** @param {Element | null} button of a row that is no counter's */
  #switchQuantiles(button) {
    const id = button?.closest(".chart")?.getAttribute("data-series");
    const drawn = this.drawn.get(id ?? "");
    if (!button || !id || !drawn) return;
    if (this.quantiles.delete(id)) {
      this.#draw(id, drawn);
      this.read(this.at, this.isLast);
    } else {
      this.quantiles.add(id);
      drawn.from = NaN; // fetched again, with quantiles
      void this.#fill();
    }
  }

  /** @param {string} id @param {Drawn} drawn */
  #shown(id, { readings, rates, quantiles }) {
    if (this.quantiles.has(id)) return quantiles;
    return this.rates.has(id) ? rates : readings;
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
    await this.#fetch(ids, from, to, (id, fetched) => {
      const drawn = this.drawn.get(id) ?? { from, to, ...fetched };
      Object.assign(drawn, { from, to }, fetched);
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
   * @param {(id: string, fetched: Pick<Drawn, "readings" | "rates" | "quantiles" | "hasExactQuantiles" | "isExact" | "gap" | "refused">) => void} use
   */
  async #fetch(ids, from, to, use) {
    this.busy = true;
    try {
      const query = new URLSearchParams({ ids: ids.join(","), from: String(from) });
      if (to !== undefined) query.set("to", String(to));
      // Those of a part of the range would be other quantiles.
      const quantiles = from === this.from ? ids.filter((id) => this.quantiles.has(id)) : [];
      if (quantiles.length > 0) query.set("quantiles", quantiles.join(","));
      const answer = await fetch(`/sessions/${this.id}/charts?${query}`);
      if (!answer.ok) throw new Error(`charts: ${answer.status}`);
      /** @type {Answered[]} */
      const answered = await answer.json();
      for (const series of answered) {
        const id = String(series.id);
        use(id, {
          readings: readingsOf(series, this.#row(id)?.dataset.type === "counter"),
          rates: ratesOf(series),
          quantiles: quantilesOf(series),
          hasExactQuantiles: series.quantiles?.exact === true,
          isExact: series.readings.every((reading) => reading.length === 2),
          gap: series.gap ?? Infinity,
          refused: series.refused.map(([since = 0, count = 0]) => [series.from + since, count]),
        });
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
    const shown = this.#shown(id, drawn);
    const hasBand = this.quantiles.has(id) || (!drawn.isExact && !this.rates.has(id));
    // A short pause within a time that has quantiles is no gap between two of them.
    const width = this.quantiles.has(id) ? (this.to - this.from) / QUANTILE_BUCKETS : 0;
    const gap = Math.max(drawn.gap, width);
    // From zero, so that a rate that hardly changes is level.
    const lowest = this.rates.has(id) ? 0 : Infinity;
    drawn.scale = setReadings(drawn.chart, shown, hasBand, gap, lowest) ?? drawn.scale;
    this.#caption(id, drawn);
    this.#setAxis(drawn);
    this.#markRefused(row, drawn);
  }

  /** Marks where values were refused. @param {HTMLElement} row @param {Drawn} drawn */
  #markRefused(row, { refused }) {
    const plot = row.querySelector(".row-plot");
    for (const mark of row.querySelectorAll(".refused")) mark.remove();
    for (const [at = 0, count = 0] of refused) {
      if (at < this.from || at > this.to) continue;
      const mark = document.createElement("i");
      mark.className = "refused";
      mark.title = `${formatCount(count, "value")} refused: NaN or infinite`;
      mark.style.left = `${shareOf(at, this.from, this.to) * 100}%`;
      plot?.append(mark);
    }
  }

  /** Writes the scale beside the line, and what the line shows; the server wrote the scale of the whole session, and of totals. @param {string} id @param {Drawn} drawn */
  #caption(id, drawn) {
    const row = this.#row(id);
    if (!row) return;
    row.querySelector("[data-rate]")?.setAttribute("aria-pressed", String(this.rates.has(id)));
    row
      .querySelector("[data-quantiles]")
      ?.setAttribute("aria-pressed", String(this.quantiles.has(id)));
    write(row, "[data-drawn]", this.#aggregateOf(id, row, drawn));
    const { scale } = drawn;
    if (!scale) return;
    const { unit } = row.dataset;
    const step = endStep(scale.bottom, scale.top, unit ?? "");
    write(row, "[data-most]", this.#withUnit(id, formatTick(scale.top, unit, step)));
    // The scale of a constant has one end.
    const isFlat = scale.top === scale.bottom;
    write(
      row,
      "[data-least]",
      isFlat ? "" : this.#withUnit(id, formatTick(scale.bottom, unit, step)),
    );
  }

  /** Which aggregate the line is, and of which time; empty where it joins the recorded points. @param {string} id @param {HTMLElement} row @param {Drawn} drawn */
  #aggregateOf(id, row, { isExact, hasExactQuantiles, refused }) {
    const notes = [];
    const width = (this.to - this.from) / Number(row.dataset.points ?? BUCKETS);
    if (this.quantiles.has(id)) {
      const time = formatDuration((this.to - this.from) / QUANTILE_BUCKETS);
      notes.push(`${hasExactQuantiles ? "" : "≈ "}p95, and p50 to p99, of ${time}`);
    } else if (this.rates.has(id))
      notes.push(`increase in ${formatDuration(Math.max(1_000, width))}`);
    else if (!isExact)
      notes.push(
        `${row.dataset.type === "counter" ? "last" : "mean and range"} of ${formatDuration(width)}`,
      );
    else if (row.dataset.type === "histogram") notes.push("mean of each window");
    const inView = refused.filter(([at = 0]) => at >= this.from && at <= this.to);
    const count = inView.reduce((sum, [, each = 0]) => sum + each, 0);
    if (count > 0) notes.push(`${formatCount(count, "value")} NaN or infinite`);
    return notes.join(" · ");
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
