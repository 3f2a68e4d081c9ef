/** The first page of the documentation: how to start recording, what to record, and how to read it. */
import { Hono } from "hono";
import type { Env } from "../env.ts";
import { apiRoutes } from "./docs/api.tsx";
import { GuideLinks, guideRoutes } from "./docs/guide.tsx";
import { QuickStart } from "./ui/quick-start.tsx";

export const docs = new Hono<{ Bindings: Env }>();

docs.get("/docs", (c) =>
  c.render(
    <article class="docs">
      <GuideLinks />
      <h1>Record your first session</h1>
      <p>
        A <em>session</em> is one run of a program. Datacat stores its state, events, exceptions,
        metrics and heartbeats. A log call appends a line to a file and returns; a daemon on the
        same machine sends the file to the server. So the records survive a crash, a{" "}
        <code>kill -9</code> and a network failure.
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
              Current values: the level, the open file, the settings. Only changes are sent;{" "}
              <code>null</code> removes a key.
            </td>
            <td>The state at any moment as a tree, with the history of each value.</td>
          </tr>
          <tr>
            <th scope="row">event</th>
            <td>
              Something that happened: a door opened, a request arrived. It can have a category, a
              group, tags and data.
            </td>
            <td>A list with search, and the number of events on the time axis.</td>
          </tr>
          <tr>
            <th scope="row">exception</th>
            <td>
              An error with its stack and causes. Uncaught exceptions of Python and Node programs
              are recorded automatically; Go needs <code>defer session.Recover()</code>, a web page{" "}
              <code>captureExceptions: true</code>.
            </td>
            <td>
              Frames with links to your editor; the same exception grouped across all sessions.
            </td>
          </tr>
          <tr>
            <th scope="row">gauge, counter, histogram, timer</th>
            <td>A value, a count, a distribution, a duration.</td>
            <td>
              A chart on the time axis that shows every spike; statistics; comparison across
              versions.
            </td>
          </tr>
          <tr>
            <th scope="row">attach</th>
            <td>
              A file or bytes: a screenshot, a log, a saved game; see{" "}
              <a href="/docs/attachments">Attachments</a>.
            </td>
            <td>A list to download from; images on the time axis and at the cursor.</td>
          </tr>
          <tr>
            <th scope="row">heartbeat</th>
            <td>
              Sent from the program's main loop. After the first heartbeat, missing heartbeats mean
              that the program hangs. A program that sends none is never shown as hung.
            </td>
            <td>The verdict, with its evidence.</td>
          </tr>
          <tr>
            <th scope="row">end</th>
            <td>
              The program ended by itself. Python and Node record it at exit, Go with{" "}
              <code>defer session.End()</code>. If the process exits without it, the verdict is a
              crash.
            </td>
            <td>Ended, with the exit code.</td>
          </tr>
        </tbody>
      </table>

      <Reading />
    </article>,
    { title: "Docs", here: "/docs", name: "docs-page", styles: ["docs", "guides"] },
  ),
);

/** The parts about the pages. */
function Reading() {
  return (
    <>
      <h2 id="reading">Reading a session</h2>
      <p>
        The verdict comes first, with its evidence. Below it, everything is on one time axis. Drag
        to zoom, click to set the cursor, step through changes with the arrow keys: the page shows
        the state, the events, the output and the value of each metric at the cursor. The address
        contains the moment, so a link shows another person what you see. Press <kbd>?</kbd> for all
        keys.
      </p>

      <h2 id="changed">What changed</h2>
      <p>
        Below the verdict of a session that failed, crashed or hung stands how it differs from the
        last 40 good runs of its product: version, machine, system, tags, state values, settings,
        metrics outside of their usual range, events that are new or missing. Each row has its
        counts, such as “in none of 40 good runs”, and how likely it is by chance; one run among 41
        cannot be less likely than 1 in 41. What is listed incompletely is not compared, and
        counted. Below a filtered list, <em>What distinguishes these?</em> does the same for all
        sessions that match against the others.
      </p>

      <h2 id="finding">Finding sessions</h2>
      <p>
        The <a href="/sessions">list</a> finds sessions by whatever you remember of them: a part of
        a log line, an exception, a file of its stack, a test, a value of the state, the last
        output. It shows where each text was found, and leads to that moment. Conditions narrow it,
        also for the past: <code>ever.player.hp:0</code>, <code>event:asset_missing</code>,{" "}
        <code>metric.fps.p95:&lt;30</code>, <code>tag.branch:main</code> (
        <a href="/docs/search">all conditions</a>). Select two or more to{" "}
        <a href="/compare">compare</a> them. <a href="/metrics">Metrics</a> shows one metric or
        several of many sessions, grouped by version, machine, tag or value of the state.
      </p>
    </>
  );
}

docs.route("/", apiRoutes);
docs.route("/", guideRoutes);
