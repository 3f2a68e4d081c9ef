/** The first pages of documentation: start recording, what to record, and where it goes. */
import { Hono } from "hono";
import type { Env } from "../env.ts";
import { GuideLinks, guideRoutes } from "./docs/guide.tsx";
import { QuickStart } from "./ui/quick-start.tsx";

export const docs = new Hono<{ Bindings: Env }>();

docs.get("/docs", (c) =>
  c.render(
    <article class="docs">
      <GuideLinks />
      <h1>Record your first session</h1>
      <p>
        A <em>session</em> is one run of a program. Datacat keeps what it did: its state, its events
        and exceptions, its metrics, and whether it was alive. A log call appends a line to a file
        and returns; a daemon beside the program sends the file on. So recording survives a crash, a{" "}
        <code>kill -9</code> and a network that is down.
      </p>
      <QuickStart url={new URL(c.req.url).origin} now={Date.now()} />

      <h2 id="what">What to record</h2>
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Call</th>
            <th scope="col">For</th>
            <th scope="col">On the page</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">update state</th>
            <td>
              What is so now: the level, the open file, the settings. Only what changes is sent;{" "}
              <code>null</code> removes a key.
            </td>
            <td>A tree at any moment, with every value's history.</td>
          </tr>
          <tr>
            <th scope="row">event</th>
            <td>
              What happened: a door opened, a request came. With a category, a group, labels and
              data.
            </td>
            <td>A list that can be searched, and density on the time axis.</td>
          </tr>
          <tr>
            <th scope="row">exception</th>
            <td>
              What went wrong, with its stack and causes. What ends a Python or Node program
              uncaught is recorded by itself; Go wants <code>defer session.Recover()</code>, a web
              page <code>captureExceptions: true</code>.
            </td>
            <td>Frames with links to your editor; the same failure grouped over all sessions.</td>
          </tr>
          <tr>
            <th scope="row">gauge, counter, histogram, timer</th>
            <td>How much, how many, how spread, how long.</td>
            <td>
              A chart on the time axis, never hiding a spike; statistics; comparison across
              versions.
            </td>
          </tr>
          <tr>
            <th scope="row">heartbeat</th>
            <td>
              "I am alive", from the loop that matters. Once begun, silence means the program hangs;
              a program that sends none is never called hung.
            </td>
            <td>The verdict, with its evidence.</td>
          </tr>
          <tr>
            <th scope="row">end</th>
            <td>
              Goodbye. Python and Node say it when the program leaves, Go with{" "}
              <code>defer session.End()</code>. Without it, and the process gone, the verdict is a
              crash.
            </td>
            <td>Ended, with the exit code.</td>
          </tr>
        </tbody>
      </table>

      <h2 id="reading">Reading a session</h2>
      <p>
        The verdict comes first, with the facts that prove it. Below it everything lies on one axis
        of time. Drag to zoom, click to set the cursor, step through changes with the arrow keys:
        the state, the events around it, the output and every metric's value follow. The address
        always says the moment, so a link shows someone else exactly what you see. Press{" "}
        <kbd>?</kbd> for all keys.
      </p>

      <h2 id="finding">Finding sessions</h2>
      <p>
        The <a href="/sessions">list</a> takes words and facets, and also what sessions{" "}
        <em>ever were</em>: "was ever in a state where <code>player.hp</code> was <code>0</code>",
        "had an event <code>asset_missing</code>
        ". Tick two or more to <a href="/compare">compare</a> them. <a href="/metrics">Metrics</a>{" "}
        puts one metric of many sessions together, by version or machine.
      </p>
    </article>,
    { title: "Docs", here: "/docs", name: "docs-page" },
  ),
);

docs.route("/", guideRoutes);
