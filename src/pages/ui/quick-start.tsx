/** Examples of a first recording in each language, with this server's address: on the empty home page and in the docs. */

type Way = { id: string; name: string; install: string; code: string };

/** `datacat run` first: it needs no change to any program. `now` is the time in the HTTP example. */
export function waysOf(url: string, now: number): Way[] {
  return [
    {
      id: "run",
      name: "Any command",
      install: "Install the command once: npm install --global . in a clone.",
      code: `DATACAT_URL=${url} datacat run -- your-command --its arguments`,
    },
    {
      id: "python",
      name: "Python",
      install:
        "Put clients/python/datacat.py beside your program, or install it from there. 2.7 and 3.6 upwards.",
      code: `import datacat

session = datacat.open(product="game", version="1.4.2", url="${url}")
session.update_state({"level": 3, "player": {"hp": 100}})
session.log_event("door_opened", data={"door": 7})
session.gauge("fps", 59.94)
session.end()`,
    },
    {
      id: "node",
      name: "Node, Deno, Bun",
      install:
        "In a clone: npm --prefix clients/typescript run build, then npm install its folder.",
      code: `import { open } from "@datacat/client";

const session = open({ product: "game", version: "1.4.2", url: "${url}" });
session.updateState({ level: 3, player: { hp: 100 } });
session.logEvent("door_opened", { data: { door: 7 } });
session.gauge("fps", 59.94);
session.end();`,
    },
    {
      id: "go",
      name: "Go",
      install:
        "In go.mod, a replace of github.com/datacat/datacat/clients/go/v2 with that folder of a clone. 1.19 upwards.",
      code: `package main

import (
	"context"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "game", Version: "1.4.2", URL: "${url}"})
	defer session.End()
	session.UpdateState(datacat.Data{"level": 3, "player": datacat.Data{"hp": 100}})
	session.LogEvent("door_opened", datacat.Data{"door": 7})
	session.Gauge("fps", 59.94)
}`,
    },
    {
      id: "http",
      name: "HTTP",
      install: "Anything that can send JSON. Times are epoch milliseconds.",
      code: `curl ${url}/api/ingest -H 'content-type: application/json' -d '{"batches":[{
  "session":"first-${now}","lane":"first-${now}","first":1,"last":3,"ops":[
    {"op":"start","at":${now},"product":"game","version":"1.4.2"},
    {"op":"event","at":${now + 100},"name":"door_opened","data":{"door":7}},
    {"op":"end","at":${now + 200},"exit_code":0}]}]}'`,
    },
  ];
}

export function QuickStart({ url, now }: { url: string; now: number }) {
  return (
    <div class="ways">
      {waysOf(url, now).map(({ id, name, install, code }) => (
        <section id={`start-${id}`} class="panel way" aria-labelledby={`start-${id}-title`}>
          <header class="panel-header">
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
