/** The examples of the empty home page and the docs. */
import * as v from "valibot";
import { expect, test } from "vitest";
import { Ingest } from "../../src/core/batch.ts";
import { waysOf } from "../../src/pages/ui/quick-start.tsx";
import readme from "../../README.md?raw";

const NOW = 1_790_000_000_000;
const ways = waysOf("http://localhost:8080", NOW);
const codeOf = (id: string) => ways.find((way) => way.id === id)?.code ?? "";

test("the HTTP example is a whole session, of now", () => {
  const [, body = ""] = /-d '(.*)'$/s.exec(codeOf("http")) ?? [];
  const { batches } = v.parse(Ingest, JSON.parse(body));
  const [batch] = batches.map((each) => v.parse(v.looseObject({ ops: v.array(v.any()) }), each));
  expect(batch?.ops.map(({ op, at }) => [op, at - NOW])).toEqual([
    ["start", 0],
    ["event", 100],
    ["end", 200],
  ]);
  expect(batch).toMatchObject({ first: 1, last: 3 });
});

test.each(["python", "node", "go"])("the example for %s is the README's, with a server", (id) => {
  const code = codeOf(id).replace(/, url(=|: )"http:\/\/localhost:8080"/i, "");
  expect(readme).toContain(code.trim());
});
