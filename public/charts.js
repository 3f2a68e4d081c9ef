/** Every visible series drawn by Chart.js over the axis' range, with a band from least to most so that no spike is lost. */
import { closest } from "./page.js";
import { formatQuantity, formatTick } from "./format.js";

/**
 * @typedef {{ at: number, value: number, min: number, max: number }} Reading
 * @typedef {{ from: number, to: number, readings: Reading[], isExact: boolean, scale?: { top: number, bottom: number }, chart?: any }} Drawn
 */

/** Asking for new points more often than this shows nothing more to the eye. */
const EXTEND_MS = 400;
/** Windows of a counter's rate over the range; none is shorter than a second. */
const RATE_WINDOWS = 120;
/** Readings with so much room are drawn as dots too: between two of them nothing is known, and one alone makes no line. */
const DOT_PIXELS = 12;
/** Charts near the screen are drawn before they are seen. */
const AHEAD = "300px";

export class Charts {
  /** @param {HTMLElement} recorder @param {string} id of the session */
  constructor(recorder, id) {
    this.recorder = recorder;
    this.id = id;
    this.from = 0;
    this.to = 1;
    this.at = 0;
    this.isLast = false;
    /** Values at a moment outside the range, by series id; undefined before a series began. @type {Map<string, number | undefined>} */
    this.away = new Map();
    this.awayAt = NaN;
    /** Series whose value there is on its way. @type {Set<string>} */
    this.asked = new Set();
    /** @type {Map<string, Drawn>} by series id */
    this.drawn = new Map();
    /** @type {Set<string>} */
    this.visible = new Set();
    /** Counters that are shown per second rather than as their total. @type {Set<string>} */
    this.rates = new Set();
    this.busy = false;
    this.again = false;
    this.lastExtended = 0;
    this.observer = new IntersectionObserver((entries) => this.#seen(entries), {
      rootMargin: AHEAD,
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
      if (isMoved) drawn.from = drawn.to = NaN; // what it shows is of another range
      else if (drawn.chart?.canvas.isConnected) this.#stretch(id, drawn);
      else this.#draw(id, drawn); // the list was fetched anew
      this.#caption(id, drawn);
    }
    void this.#fill();
  }

  /**
   * Shows every chart's value at this moment.
   * @param {number} at @param {boolean} [isLast] it is the session's last moment, of which the server has told every value
   */
  read(at, isLast = false) {
    this.at = at;
    this.isLast = isLast;
    if (at < this.from || at > this.to) return this.#readAway();
    for (const id of this.visible) {
      const drawn = this.drawn.get(id);
      if (drawn) this.#say(id, readingAt(this.#shown(id, drawn), at)?.value, true);
    }
  }

  /** What is drawn says nothing of a moment outside the range. */
  #readAway() {
    for (const id of this.visible) {
      const value = this.isLast ? this.#lastOf(id) : this.away.get(id);
      this.#say(id, value === undefined ? undefined : Number(value), false);
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

  /** @param {string} id @param {number | undefined} value @param {boolean} isDrawn it may be a rate, then */
  #say(id, value, isDrawn) {
    const row = this.#row(id);
    if (!row) return;
    const text = value === undefined ? "–" : formatQuantity(value, row.dataset.unit);
    write(row, "[data-reading]", isDrawn && value !== undefined ? this.#said(id, text) : text);
  }

  /** Fetches only what has happened since the last point, while the page follows. */
  async extend() {
    const wait = this.lastExtended + EXTEND_MS - Date.now();
    if (this.busy || wait > 0) {
      if (!this.again) {
        this.again = true;
        setTimeout(
          () => {
            this.again = false;
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
      if (drawn.readings.length > limit) drawn.from = NaN; // too dense to be drawn as it is: fetched whole, in buckets
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
  #said(id, value) {
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

  /** Fetches what is in sight and not drawn yet, all in one request. */
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
        await breath(); // between charts, so that the page answers while many are drawn
      }
      delete this.recorder.dataset.failed;
    } catch {
      this.recorder.dataset.failed = ""; // said by the stylesheet; the next change tries again
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
    drawn.chart ??= newChart(canvas, colourOf(row));
    const { chart } = drawn;
    const readings = this.#shown(id, drawn);
    const isExact = drawn.isExact || this.rates.has(id);
    const [most, least, line] = chart.data.datasets;
    most.data = isExact ? [] : readings.map(({ at, max }) => ({ x: at, y: max }));
    least.data = isExact ? [] : readings.map(({ at, min }) => ({ x: at, y: min }));
    line.data = readings.map(({ at, value }) => ({ x: at, y: value }));
    const isSparse = readings.length * DOT_PIXELS <= canvas.clientWidth;
    line.pointRadius = readings.length === 1 ? 3 : isSparse ? 2 : 0;
    const top = readings.reduce((high, { max }) => Math.max(high, max), -Infinity);
    const bottom = readings.reduce((low, { min }) => Math.min(low, min), Infinity);
    if (readings.length > 0) {
      drawn.scale = { top, bottom };
      // Not less than a hair's height, or a constant would be drawn as noise.
      const pad = (top - bottom || Math.abs(top) || 1) * 0.06;
      chart.options.scales.y.min = bottom - pad;
      chart.options.scales.y.max = top + pad;
    }
    this.#caption(id, drawn);
    this.#stretch(id, drawn);
  }

  /** What the chart says beside its line; a fragment says it of the whole session, and of totals. @param {string} id @param {Drawn} drawn */
  #caption(id, { scale }) {
    const row = this.#row(id);
    if (!row) return;
    row.querySelector("[data-rate]")?.setAttribute("aria-pressed", String(this.rates.has(id)));
    if (!scale) return;
    write(row, "[data-most]", this.#said(id, formatTick(scale.top, row.dataset.unit)));
    // A series of one value has one end of its scale.
    const isFlat = scale.top === scale.bottom;
    const least = isFlat ? "" : this.#said(id, formatTick(scale.bottom, row.dataset.unit));
    write(row, "[data-least]", least);
  }

  /** @param {string} _id @param {Drawn} drawn */
  #stretch(_id, { chart }) {
    if (!chart) return;
    chart.options.scales.x.min = this.from;
    chart.options.scales.x.max = this.to;
    chart.update(); // not "none": with that, Chart.js keeps the first size and colour of points for ever
  }

  #recolour() {
    for (const [id, { chart }] of this.drawn) {
      const row = this.#row(id);
      if (!chart || !row) continue;
      paint(chart, colourOf(row));
      chart.update();
    }
  }
}

function breath() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** @param {Element} row @param {string} selector @param {string} text */
function write(row, selector, text) {
  const element = row.querySelector(selector);
  if (element) element.textContent = text;
}

/** @param {{ from: number, readings: number[][] }} series as src/pages/session/charts.tsx sends it @returns {Reading[]} */
function readingsOf({ from, readings }) {
  return readings.map(([since = 0, value = 0, min = value, max = value]) => ({
    at: from + since,
    value,
    min,
    max,
  }));
}

/**
 * A counter's increase per second, a reading at the end of each window. One that began again lost nothing.
 * @param {Reading[]} readings its totals @param {number} windowMs at least a second is taken @returns {Reading[]}
 */
function ratesOf(readings, windowMs) {
  const step = Math.max(1_000, windowMs);
  const rates = [];
  let [before] = readings;
  for (const reading of readings) {
    if (!before || reading.at - before.at < step) continue;
    const value = Math.max(0, reading.value - before.value) / ((reading.at - before.at) / 1_000);
    rates.push({ at: reading.at, value, min: value, max: value });
    before = reading;
  }
  return rates;
}

/** The last reading at or before a moment, by halving. @param {Reading[]} readings @param {number} at */
function readingAt(readings, at) {
  let low = 0;
  let high = readings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((readings[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return readings[low - 1];
}

/** The stylesheet's colour, as the page has it now. @param {Element} row */
function colourOf(row) {
  const reading = row.querySelector("[data-reading]");
  const [red, green, blue] = (getComputedStyle(reading ?? row).color.match(/[\d.]+/g) ?? []).map(
    Number,
  );
  return { line: `rgb(${red}, ${green}, ${blue})`, band: `rgba(${red}, ${green}, ${blue}, 0.24)` };
}

/** @param {HTMLCanvasElement} canvas @param {{ line: string, band: string }} colour */
function newChart(canvas, colour) {
  const bare = { parsing: false, borderWidth: 0, pointRadius: 0, data: [] };
  // Chart comes from vendor/chart-….js, a classic script that ran before this module.
  const chart = new /** @type {any} */ (globalThis).Chart(canvas, {
    type: "line",
    data: {
      datasets: [
        { ...bare, fill: "+1" },
        { ...bare, fill: false },
        // Dots at the edge are drawn whole.
        { ...bare, borderWidth: 1.5, borderJoinStyle: "round", fill: false, clip: 4 },
      ],
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      normalized: true,
      events: [],
      layout: { padding: { top: 2, bottom: 2 } },
      plugins: { legend: { display: false }, tooltip: { enabled: false } },
      scales: { x: { type: "linear", display: false }, y: { display: false } },
    },
  });
  paint(chart, colour);
  return chart;
}

/** @param {any} chart @param {{ line: string, band: string }} colour */
function paint(chart, { line, band }) {
  const [most, , trace] = chart.data.datasets;
  most.backgroundColor = band;
  trace.borderColor = line;
  trace.pointBackgroundColor = line;
}
