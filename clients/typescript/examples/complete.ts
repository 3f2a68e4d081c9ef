/** Every call there is, once. */
import { open } from "@datacat/client";

const session = open({
  product: "complete-example",
  version: "2.1.0",
  tags: ["example", "complete"],
  state: { user: { name: "Ada", password: "never leaves this process" }, window: null },
});

// State: patches merge, null deletes, lists replace.
session.updateState({ window: { title: "Untitled", size: [800, 600] } });
session.updateState({ window: { title: "Sonata.mid" }, user: { theme: "dark" } });
session.updateState({ user: { theme: null } });

// Events.
session.logEvent("file_opened", {
  category: "info",
  group: "editor.files",
  tags: { format: "midi" },
  message: "Opened Sonata.mid",
  data: { path: "Sonata.mid", bytes: 48_213, loaded: new Date("2026-11-23T09:00:00Z") },
});
session.logEvent("disk_slow", { category: "warning", message: "Reading took 2 s" });

// Metrics.
session.gauge("memory_used", 84.5, { unit: "MB", tags: { area: "heap" } });
session.counter("notes_played", 12);
session.counter("notes_played", 30);
session.histogram("latency_seconds", 0.012, { buckets: [0.005, 0.01, 0.02, 0.05], unit: "s" });
session.time("render", () => "x".repeat(1_000));
{
  using timer = session.timer("mix", { unit: "s" });
  for (let track = 0; track < 8; track++) timer.lap();
}

// Exceptions, with what led to them.
try {
  try {
    JSON.parse("{");
  } catch (cause) {
    throw new Error("The settings cannot be read", { cause });
  }
} catch (thrown) {
  session.logException(thrown, { handled: true, data: { file: "settings.json" } });
}

// Alive.
session.heartbeat(30_000);
session.pause();
session.resume();

console.log(session.id, JSON.stringify(session.stats()));
session.end({ exitCode: 0 });
