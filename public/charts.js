/** The charts of a session: fetches the series in view over the range of the axis, draws them, and shows their values at the cursor. */
import { markRefused, writeCaption, writeRange, writeValue } from "./caption.js";
import { newChart, recolour, setAxis, setReadings } from "./line-chart.js";
import { closest } from "./page.js";
import { BUCKETS, decoded, isExactAt, QUANTILE_BUCKETS, readingAt } from "./readings.js";

/** @typedef {import("./readings.js").Drawn} Drawn */

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
    this.busy = false;
    this.isWaiting = false;
    this.lastExtended = 0;
    this.observer = new IntersectionObserver((entries) => this.#seen(entries), {
      rootMargin: MARGIN,
    });
    recorder.addEventListener("click", (event) => {
      this.#switch(closest(event, "[data-rate]"), "rates");
      this.#switch(closest(event, "[data-quantiles]"), "quantiles");
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
      const row = this.#row(id);
      if (row) this.#colour(drawn, row);
      if (isMoved) drawn.from = drawn.to = NaN; // its readings are of another range
      else if (drawn.chart?.canvas.isConnected) this.#setAxis(drawn);
      else this.#draw(id, drawn); // the list was fetched again
      if (row) writeCaption(row, drawn, this.from, this.to);
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
    if (drawn.shows !== "values") {
      writeValue(row, drawn, readingAt(drawn[drawn.shows], at)?.value);
      return true;
    }
    if (at < Number(row.dataset.firstAt)) {
      writeValue(row, drawn, undefined);
      return true;
    }
    const isInside = at >= this.from && at <= this.to;
    const reading = isInside ? readingAt(drawn.values, at) : undefined;
    if (reading && isExactAt(reading, at)) writeValue(row, drawn, reading.last);
    else if (this.isLast) writeValue(row, drawn, lastOf(row));
    else if (this.fetched.has(id)) writeValue(row, drawn, this.fetched.get(id));
    else {
      if (reading) writeRange(row, reading);
      return false;
    }
    return true;
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
      ...ids.map((id) => this.drawn.get(id)?.values.at(-1)?.until ?? this.from),
    );
    await this.#fetch(ids, since + 1, undefined, (id, fetched) => {
      const drawn = this.drawn.get(id);
      if (!drawn) return;
      const last = drawn.values.at(-1)?.until ?? 0;
      drawn.values.push(...fetched.values.filter(({ since: first }) => first > last));
      const lastRate = drawn.rates.at(-1)?.until ?? 0;
      drawn.rates.push(...fetched.rates.filter(({ until }) => until > lastRate));
      drawn.to = Math.max(drawn.to, drawn.values.at(-1)?.until ?? drawn.to);
      drawn.refused.push(...fetched.refused);
      if (!fetched.isExact) drawn.isExact = false;
      const limit = Number(this.#row(id)?.dataset.points ?? BUCKETS) * 2;
      // Too many to draw: fetched again, in buckets. Quantiles are of buckets, so they are fetched again as well.
      if (drawn.values.length > limit || drawn.shows === "quantiles") drawn.from = NaN;
      else this.#draw(id, drawn);
    });
    void this.#fill();
    this.read(this.at, this.isLast);
  }

  /** @param {Element | null} button of a row @param {"rates" | "quantiles"} shows what it switches to, and back */
  #switch(button, shows) {
    const id = button?.closest(".chart")?.getAttribute("data-series");
    const drawn = this.drawn.get(id ?? "");
    if (!id || !drawn) return;
    drawn.shows = drawn.shows === shows ? "values" : shows;
    if (drawn.shows === "quantiles") {
      drawn.from = NaN; // fetched again, with quantiles
      void this.#fill();
      return;
    }
    this.#draw(id, drawn);
    this.read(this.at, this.isLast);
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
      /** @type {Drawn} */
      const drawn = this.drawn.get(id) ?? { from, to, shows: "values", ...fetched };
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
   * @param {(id: string, fetched: import("./readings.js").Readings) => void} use
   */
  async #fetch(ids, from, to, use) {
    this.busy = true;
    try {
      const query = new URLSearchParams({ ids: ids.join(","), from: String(from) });
      if (to !== undefined) query.set("to", String(to));
      // Those of a part of the range would be other quantiles.
      const quantiles =
        from === this.from ? ids.filter((id) => this.drawn.get(id)?.shows === "quantiles") : [];
      if (quantiles.length > 0) query.set("quantiles", quantiles.join(","));
      const answer = await fetch(`/sessions/${this.id}/charts?${query}`);
      if (!answer.ok) throw new Error(`charts: ${answer.status}`);
      /** @type {import("./readings.js").Answered[]} */
      const answered = await answer.json();
      for (const series of answered) {
        const id = String(series.id);
        use(id, decoded(series, this.#row(id)?.dataset.type === "counter"));
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
    this.#colour(drawn, row);
    const { shows } = drawn;
    const hasBand = shows === "quantiles" || (shows === "values" && !drawn.isExact);
    // A short pause within a time that has quantiles is no gap between two of them.
    const width = shows === "quantiles" ? (this.to - this.from) / QUANTILE_BUCKETS : 0;
    const gap = Math.max(drawn.gap, width);
    // From zero, so that a rate that hardly changes is level.
    const lowest = shows === "rates" ? 0 : Infinity;
    drawn.scale = setReadings(drawn.chart, drawn[shows], hasBand, gap, lowest) ?? drawn.scale;
    writeCaption(row, drawn, this.from, this.to);
    this.#setAxis(drawn);
    markRefused(row, drawn, this.from, this.to);
  }

  /** The reader may have chosen another tag whose values have colours. @param {Drawn} drawn @param {HTMLElement} row */
  #colour(drawn, row) {
    if (!drawn.chart || drawn.colour === row.dataset.colour) return;
    drawn.colour = row.dataset.colour;
    recolour(drawn.chart, row);
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

/** The value that the server wrote into the row. @param {HTMLElement} row */
function lastOf(row) {
  const last = row.querySelector(".brief")?.getAttribute("data-last");
  return last === null || last === undefined ? undefined : Number(last);
}
