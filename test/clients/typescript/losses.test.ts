/** The causes of lost records are the same in every client: test/fixtures/loss-causes.json. */
import { describe, expect, test } from "vitest";
import { Losses } from "../../../clients/typescript/lane/losses.ts";
import { Losses as DaemonLosses } from "../../../daemon/lanes/losses.ts";
import causes from "../../fixtures/loss-causes.json" with { type: "json" };

describe("an error of the system", () => {
  test.each(Object.entries(causes))("%s counts as %s", (code, cause) => {
    const failure = Object.assign(new Error(`${code}: the text of it, write`), { code });
    const losses = new Losses();
    losses.count(1, failure);
    expect(losses.totals).toEqual({ [cause]: 1 });
    const daemons = new DaemonLosses();
    daemons.count({ op: "event", at: 1, name: "e" }, failure);
    expect(daemons.reports(2)).toMatchObject([{ cause, count: 1, detail: "the text of it" }]);
  });
});
