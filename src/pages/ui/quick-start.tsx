/** The first recording, in every language, with this server's own address: on the empty home page and in the docs. */

type Way = { id: string; name: string; install: string; code: string };

/** `datacat run` first: it needs no change to any program. */
export function waysOf(url: string): Way[] {
  return [
    {
      id: "run",
      name: "Any command",
      install: "Nothing to add: run it through datacat.",
      code: `DATACAT_URL=${url} npx datacat run -- your-command --its arguments`,
    },
    {
      id: "python",
      name: "Python",
      install:
        "Put clients/python/datacat.py beside your program, or install it from there. 2.7 and 3.6 upwards.",
      code: `import datacat

session = datacat.open(product="game", version="1.4.2", url="${url}")
session.update_state({"level": 3, "player": {"hp": 100}})
session.event("door_opened", {"door": 7})
session.gauge("fps", 59.94)
session.end()`,
    },
    {
      id: "node",
      name: "Node, Deno, Bun",
      install: "npm install ./clients/typescript",
      code: `import { open } from "@datacat/client";

const session = open({ product: "game", version: "1.4.2", url: "${url}" });
session.updateState({ level: 3, player: { hp: 100 } });
session.event("door_opened", { door: 7 });
session.gauge("fps", 59.94);
session.end();`,
    },
    {
      id: "go",
      name: "Go",
      install: "go get github.com/datacat/datacat/clients/go",
      code: `session := datacat.Open(ctx, datacat.Options{Product: "game", Version: "1.4.2", URL: "${url}"})
defer session.End()
defer session.Recover()

session.UpdateState(datacat.Data{"level": 3})
session.LogEvent("door_opened", datacat.Data{"door": 7})
session.Gauge("fps", 59.94)`,
    },
    {
      id: "http",
      name: "HTTP",
      install: "Anything that can send JSON. Times are epoch milliseconds.",
      code: `curl ${url}/api/ingest -H 'content-type: application/json' -d '{"batches":[{
  "session":"my-first","lane":"my-first-lane","first":1,"last":2,"ops":[
    {"op":"start","at":1790000000000,"product":"game","version":"1.4.2"},
    {"op":"event","at":1790000000100,"name":"door_opened","data":{"door":7}}]}]}'`,
    },
  ];
}

export function QuickStart({ url }: { url: string }) {
  return (
    <div class="ways">
      {waysOf(url).map(({ id, name, install, code }) => (
        <section id={`start-${id}`} class="panel way" aria-labelledby={`start-${id}-title`}>
          <header class="panel-head">
            <h2 id={`start-${id}-title`}>{name}</h2>
            <span class="quiet">{install}</span>
            <button class="tool" type="button" data-copy={code} hidden>
              Copy
            </button>
          </header>
          <pre class="code" tabindex={0} aria-label={`${name} example`}>
            <code>{code}</code>
          </pre>
        </section>
      ))}
    </div>
  );
}
